"""A host's pairs of keys, and a server that shows the public ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA_KEYS = {"one": RSA_KEY, "two": rsa.generate_private_key(65537, 2048)}
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(name: str, key: Any = None, **changes: Any) -> dict[str, Any]:
    """Return the entry of a key in a key set."""
    key = RSA_KEYS[name] if key is None else key
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    made: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": name, "use": "sig", **changes}


def key_set(*entries: Any) -> bytes:
    return json.dumps({"keys": list(entries)}).encode()


class KeyServer:
    """Shows a key set on this machine.

    Attributes:
        pieces: the body, in pieces; the server sends the next one when `gate` is set.
        calls: how often it was asked.
    """

    def __init__(self) -> None:
        self.pieces: Sequence[bytes] = [key_set(public("one"))]
        self.status = 200
        self.location = ""
        self.calls = 0
        self.gate = Event()
        self.gate.set()
        self.url = ""


@contextmanager
def key_server() -> Iterator[KeyServer]:
    shown = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.calls += 1
            self.send_response(shown.status)
            if shown.location:
                self.send_header("Location", shown.location)
            self.end_headers()
            try:
                for piece in shown.pieces:
                    shown.gate.wait(60)
                    self.wfile.write(piece)
            except OSError:
                pass  # the client has left

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shown.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shown
    finally:
        shown.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
