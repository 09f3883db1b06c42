"""Any bytes at all, over real sockets: each gets an answer of the contract, and nothing breaks.

"Breaks" means: an answer of 5xx, a close as if by a fault, or a line of the log with a traceback.
hypothesis makes the inputs, the same ones in each run.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.schema import validate_problem, validate_server_frame
from tests.support.servers.harness import Server
from tests.support.servers.visitor import START
from tests.support.sizes import sized

TIMEOUT_SECONDS = 30
any_input = settings(
    max_examples=sized(200, 1_000),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CLOSES = {1002, 1007, 1009, 4400, 4429}
"""The close codes of input that is not a frame, or is no command."""


@pytest.fixture(autouse=True)
def unharmed(server: Server) -> Iterator[None]:
    """After each test the server answers as before, and has logged no fault."""
    yield
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
    status, _ = call(line, "POST", START, b'{"prompt": "Why?"}')
    line.close()
    assert status == 201
    server.assert_unharmed()


@pytest.fixture
def line(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
    yield connection
    connection.close()


def call(
    line: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, Any] | None = None,
) -> tuple[int, bytes]:
    """Make a call; a refusal must be a problem document, unless the server could not read it."""
    more = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    line.request(method, path, body, more)
    response = line.getresponse()
    answer = response.read()
    if response.status >= 400 and response.getheader("Content-Type", "").startswith("application"):
        validate_problem(json.loads(answer))
    elif response.status >= 400:
        assert response.status in (400, 431), answer
    assert response.status < 500, answer
    return response.status, answer


# --- bodies ------------------------------------------------------------------------------

texts = st.text(max_size=30) | st.sampled_from(["\0", "\ud800", "a" * 3_000, "ﷺ" * 50, "\u202e"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
fields = {
    "prompt": st.just("Why?") | texts | values,
    "options": objects | values,
    "request_id": st.uuids().map(str) | texts | values,
    "continues": st.just("A" * 22) | values,
    "sample": st.just("pendulum") | values,
}
"""What a start may have, as it should be and otherwise."""


def encoded(data: Any) -> bytes:
    return json.dumps(data).encode()


bodies = (
    st.fixed_dictionaries({}, optional=fields).map(encoded)
    | (objects | values).map(encoded)
    | st.binary(max_size=200)
)
TYPES = [
    *("application/json", "application/json; charset=latin-1", "application/json; charset=\xff"),
    *("multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""),
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16"),
]
PATHS = [START, f"{START}?wait=1", "/api/stream/ai-block/quiz", "/api/streams/cancel"]
PATHS += [
    "/api/dialects/ai-sdk/quiz",
    "/api/dialects/ai-sdk/quiz/object",
    "/api/dialects/ag-ui/quiz",
]
PATHS += ["/account/login/", "/account/signup/", "/account/password/reset/", "/admin/login/"]
FORM = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n\0\r\n--x--'


@any_input
@example(path=START, kind=TYPES[3], body=FORM)
@example(path=START, kind=TYPES[0], body=b"[" * 100_000)
@example(path=START, kind=TYPES[0], body=b'{"prompt":' * 5_000)
@example(path=START, kind=TYPES[0], body=b'{"prompt": "Why?", "options": {"a": 1e999}}')
@example(path=START, kind=TYPES[0], body=b'{"prompt": ' + b"9" * 5_000 + b"}")
@example(path="/account/login/", kind=TYPES[7], body=b"login=%00&password=%ff")
@given(st.sampled_from(PATHS), st.sampled_from(TYPES), bodies)
def test_any_body_is_an_input_or_is_refused(
    line: http.client.HTTPConnection, path: str, kind: str, body: bytes
) -> None:
    if path.startswith("/api"):
        call(line, "POST", path, body, {"Content-Type": kind})
    else:  # a page: without the CSRF token, whatever the form holds
        line.request("POST", path, body, {"Content-Type": kind})
        response = line.getresponse()
        response.read()
        assert response.status in (400, 403)


# --- paths, queries and cursors ------------------------------------------------------------

in_headers = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60).map(
    lambda text: text.encode("latin-1")
)
bytes_in_path = st.binary(max_size=40).map(quote) | texts.map(lambda t: quote(t, errors="replace"))


@any_input
@example(stream_id="A" * 22, cursor=b"A" * 22 + b":-1", after="-1")
@example(stream_id="A" * 22, cursor=b"A" * 22 + b":9999999999", after="%D9%A3")
@given(bytes_in_path, in_headers, bytes_in_path)
def test_any_cursor_is_one_or_is_refused(
    line: http.client.HTTPConnection, stream_id: str, cursor: bytes, after: str
) -> None:
    header = {"Last-Event-ID": cursor}
    for path in (f"/api/streams/{stream_id}/events", f"/api/streams/{'A' * 22}/events"):
        assert call(line, "GET", path, headers=header)[0] in (301, 400, 404)
        assert call(line, "GET", f"{path}?after={after}")[0] in (301, 400, 404)
    if cursor.strip():  # else it is none, and the call starts a stream
        assert call(line, "GET", f"{START}?prompt=a", headers=header)[0] in (400, 404)
    assert call(line, "GET", f"/api/streams?cursor={after}&limit={after}")[0] in (200, 400)
    assert call(line, "GET", f"/api/streams?q={after}&status={after}")[0] in (200, 400)


@any_input
@given(st.sampled_from(["", "api/", "account/", "admin/", "static/", "blocks/"]), bytes_in_path)
def test_any_address_is_answered(line: http.client.HTTPConnection, prefix: str, path: str) -> None:
    line.request("GET", f"/{prefix}{path}")
    response = line.getresponse()
    response.read()
    assert response.status in (200, 301, 302, 400, 404, 405, 503)  # 503: the pages aren't built


# --- frames ------------------------------------------------------------------------------

COMMANDS = ["start", "resume", "leave", "cancel", "ping", "hello", "chunk", ""]
commands = st.fixed_dictionaries(
    {"type": st.sampled_from(COMMANDS) | values},
    optional={
        **fields,
        "ref": texts | values,
        "block_type": st.sampled_from(["ask-question", "quiz"]) | texts | values,
        "stream_id": st.just("A" * 22) | texts | values,
        "after": st.integers() | values,
    },
)
frames = commands.map(encoded) | values.map(encoded) | st.binary(max_size=200)


class Talk:
    """A socket that is opened again after each close."""

    def __init__(self, port: int) -> None:
        self._url = f"ws://127.0.0.1:{port}/ws/stream?follow=none"
        self._opened = ExitStack()
        self._socket: ClientConnection | None = None

    def say(self, frame: bytes, *, is_text: bool) -> int | None:
        """Send a frame and a ping, and read to the pong; return the close code if one came."""
        if self._socket is None:
            socket = connect(self._url, compression=None, proxy=None, max_size=None)
            self._socket = self._opened.enter_context(socket)
        try:
            self._socket.send(frame, text=is_text)
            self._socket.send('{"type": "ping"}')
            while (told := json.loads(self._socket.recv(TIMEOUT_SECONDS)))["type"] != "pong":
                validate_server_frame(told)
                assert told.get("code") != "internal", told
        except ConnectionClosed as closed:
            self.close()
            return closed.rcvd.code if closed.rcvd else 1006
        return None

    def close(self) -> None:
        self._socket = None
        self._opened.close()


@pytest.fixture
def talk(server: Server) -> Iterator[Talk]:
    opened = Talk(server.port)
    yield opened
    opened.close()


@any_input
@example(frame=b"\xff\xfe", is_text=True)
@example(frame=b"[" * 60_000, is_text=True)
@example(frame=b'{"type":' * 8_000, is_text=True)
@example(frame=b'{"type": "start", "prompt": "' + b"a" * 70_000 + b'"}', is_text=True)
@example(frame=b"\0" * ((1 << 20) + 1), is_text=False)
@example(frame=b'{"type": "resume", "stream_id": "A", "after": 1e999}', is_text=True)
@example(frame=b'{"type": "resume", "after": ' + b"9" * 5_000 + b"}", is_text=True)
@given(frames, st.booleans())
def test_any_frame_is_a_command_or_is_refused(talk: Talk, frame: bytes, is_text: bool) -> None:
    assert talk.say(frame, is_text=is_text) in {None, *CLOSES}
