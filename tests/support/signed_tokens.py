"""What a host's backend does: it signs tokens for its users, and shows its public keys."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, OTHER_ISSUER, AUDIENCE = "https://host.example", "https://other.example", "liveai"
SHARED_KEY = "a-key-that-the-host-shares-with-us-0123456789"
OTHER_KEY = "another-key-that-another-host-shares-0123456789"
SETTINGS: dict[str, Any] = {
    "JWT_ISSUER": ISSUER,
    "JWT_AUDIENCE": AUDIENCE,
    "JWT_SHARED_KEY": SHARED_KEY,
    "JWT_MORE_ISSUERS": [
        {"issuer": OTHER_ISSUER, "audience": AUDIENCE, "shared_key": OTHER_KEY},
    ],
}
ENVIRONMENT = {**SETTINGS, "JWT_MORE_ISSUERS": json.dumps(SETTINGS["JWT_MORE_ISSUERS"])}

RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA_KEYS = {"one": RSA_KEY, "two": rsa.generate_private_key(65537, 2048)}
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def claims(subject: str = "ada", *, seconds: float = 600, **changes: Any) -> dict[str, Any]:
    """Return claims that are valid for some seconds. A change to None leaves a claim out."""
    now = time.time()
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": int(now), "exp": now + seconds}
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(
    subject: str = "ada",
    *,
    key: Any = SHARED_KEY,
    algorithm: str = "HS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    return jwt.encode(claims(subject, **changes), key, algorithm=algorithm, headers=headers)


def signed_by_other(subject: str = "ada", **changes: Any) -> str:
    """Return a token of the other issuer."""
    return signed(subject, key=OTHER_KEY, iss=OTHER_ISSUER, **changes)


def raw(header: bytes, payload: bytes, signature: bytes = b"x") -> str:
    """Return what has the form of a token, with any bytes in it."""
    parts = (header, payload, signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


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
