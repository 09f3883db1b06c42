"""Bad input over real sockets: a clear response, and a server that continues undisturbed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers.conftest import on_both
from tests.support.schema import validate_problem
from tests.support.servers.harness import Server
from tests.support.servers.visitor import START, Held, Visitor
from tests.support.servers.wire import TIMEOUT_SECONDS


@pytest.fixture(autouse=True)
async def unharmed(server: Server) -> AsyncIterator[None]:
    """Around each test another visitor's answer completes, and nothing is logged."""
    visitor = Visitor(server.port)
    async with await visitor.ask("speak briefly") as client:
        await client.until_event("chunk")
        yield
        held = Held().take_all(await client.until_end())
    assert held.text == "tick " * 20
    server.assert_unharmed()


async def raw(server: Server, data: bytes, *, is_half: bool = False) -> bytes:
    """Send bytes and read the response to its end; after half a request, close instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(data)
        await writer.drain()
        if is_half:
            return b""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await reader.read(4096)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"prompt": "x" * (2 << 20)}).encode(),
        b"x" * (2 << 20),
    ],
)
@on_both
async def test_a_body_of_two_mebibytes_is_refused_with_a_problem(
    server: Server, body: bytes
) -> None:
    visitor = Visitor(server.port)
    async with await visitor.open(START, method="POST", data=body) as client:
        assert client.status == 413
        assert client.headers["content-type"] == "application/problem+json"
        problem = await client.json()
    validate_problem(problem)
    assert problem["code"] == "prompt_too_long"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"prompt":' + b"[" * 3000 + b"]" * 3000 + b"}", None),
        (b"[" * 500_000, "malformed"),
        (b"not json", "malformed"),
        (b'"a string"', "malformed"),
        (b'{"prompt": "\xff\xfe"}', "malformed"),
        (b"", "malformed"),
        (b'{"prompt": NaN}', "malformed"),
        (b'{"prompt": "a\\u0000b"}', None),
        (b'{"prompt": "\\ud800"}', None),
    ],
)
async def test_a_body_that_is_no_input_is_refused_with_a_code(
    server: Server, body: bytes, code: str | None
) -> None:
    visitor = Visitor(server.port)
    async with await visitor.open(
        START, method="POST", data=body, headers={"Connection": "close"}
    ) as client:
        if client.status == 200:  # readable text is accepted as it is
            await client.until_end()
            return
        problem = await client.json()
        assert client.status == 400, problem
    validate_problem(problem)
    assert code is None or problem["code"] == code or problem["code"] == "invalid_input"


@on_both
async def test_half_a_request_leaves_no_trace(server: Server) -> None:
    head = f"POST {START} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    await raw(server, head.encode(), is_half=True)
    await raw(server, head.encode() + b'Content-Length: 500\r\n\r\n{"prompt": "ha', is_half=True)
    await raw(server, b"GET /api/config HTTP/1.1\r\nHo", is_half=True)
    status, _ = await Visitor(server.port).call("GET", "/api/config")
    assert status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /api/config HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"GET /api/config?\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    ],
)
@on_both
async def test_malformed_http_is_answered_4xx_or_hung_up_on(server: Server, data: bytes) -> None:
    answer = await raw(server, data)
    assert answer == b"" or answer.split(b" ", 2)[1].startswith(b"4")


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/", "/api/streams/x", f"/api/streams/{'A' * 22}", "/api/%ff"]
)
async def test_an_unknown_path_is_a_problem(server: Server, path: str) -> None:
    status, problem = await (await Visitor.arrive(server.port)).call("GET", path)
    validate_problem(problem)
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_format_in_the_query_is_no_switch(server: Server) -> None:
    status, problem = await Visitor(server.port).call("GET", "/api/config?format=html")
    assert status in (200, 400)
    if status == 400:
        validate_problem(problem)


@pytest.mark.parametrize(
    "frame",
    [b"\x00\xff", "[1]", "{", '"x"', "[" * 3000, json.dumps({"type": "ping", "x": "y" * 65536})],
    ids=["binary", "a list", "cut off", "a string", "deep", "65 KiB"],
)
async def test_an_unreadable_frame_is_refused_and_the_socket_goes_on(
    server: Server, frame: bytes | str
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with visitor.socket() as socket:
        await socket.connection.send(frame)
        refused = await socket.until(lambda one: one["type"] == "refused")
        assert refused["code"] == "malformed"
        stream_id = await socket.start("Why?")
        assert (await socket.until_end(stream_id))["type"] == "complete"


async def test_the_third_unreadable_frame_closes_with_4400(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    async with visitor.socket() as socket:
        for _ in range(3):
            await socket.connection.send("nonsense")
        assert await socket.until_closed() == 4400
        assert [frame.get("code") for frame in socket.frames[1:]] == ["malformed"] * 3


@on_both
async def test_a_frame_of_more_than_a_mebibyte_is_not_read(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    async with visitor.socket() as socket:
        with contextlib.suppress(ConnectionClosed):  # the server may close before all is sent
            await socket.connection.send("x" * ((1 << 20) + 1))
        code = await socket.until_closed()
        if server.kind == "serve":
            assert code == 1009


@on_both
async def test_a_socket_at_an_unknown_path_is_closed_with_4404(server: Server) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/ws/other", proxy=None) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4404


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Cookie": "sessionid=abc"}],
    ids=["foreign", "null", "a cookie without one"],
)
@on_both
async def test_a_socket_from_a_foreign_origin_is_refused_before_the_handshake(
    server: Server, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://127.0.0.1:{server.port}/ws/stream", additional_headers=headers, proxy=None
        ):
            pass
    assert refused.value.response.status_code == 403
