"""Time limits of one connection to `serve`, shortened in asgi_hurried.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.test_connections import LARGE, START
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.wire import (
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Answer,
    Wire,
    frame,
    get,
    post,
)

HURRIED = "tests.support.servers.asgi_hurried:application"


@pytest.fixture(scope="module")
def server(module_database: Database) -> Iterator[Server]:
    with running("serve", module_database, app=HURRIED) as started:
        yield started
        started.assert_unharmed()


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    async with await Wire.open(server.port) as opened:
        yield opened


async def test_a_connection_that_asks_nothing_is_closed_without_a_word(wire: Wire) -> None:
    assert await wire.rest() == b""


@pytest.mark.parametrize("before", [b"", get("/api/config")], ids=["first", "second"])
@pytest.mark.parametrize("trickles", [False, True])
async def test_a_head_that_does_not_end_is_408(wire: Wire, before: bytes, trickles: bool) -> None:
    if before:
        wire.send(before)
        await wire.until(b"demo_model")
        await wire.until(b"}")
    wire.send(b"GET / HTTP/1.1\r\nX: ")
    if trickles:
        wire.trickle(b"a")
    assert (await wire.answer()).status == 408


@pytest.mark.parametrize(
    "half",
    [
        post(START, "Content-Length: 1000"),
        post(START, "Content-Length: 1000", body=b"{"),
        post(START, "Transfer-Encoding: chunked", body=b"3e8\r\n"),
    ],
    ids=["empty", "begun", "chunked"],
)
@pytest.mark.parametrize("trickles", [False, True])
async def test_a_body_that_does_not_end_is_408(wire: Wire, half: bytes, trickles: bool) -> None:
    wire.send(half)
    if trickles:
        wire.trickle(b" ")
    assert (await wire.answer()).status == 408


async def test_who_still_sends_after_a_413_is_cut(wire: Wire) -> None:
    wire.send(post(START, "Content-Length: 10000000"))
    wire.trickle(b" ")
    assert (await wire.answer()).status == 413


async def test_a_client_that_does_not_read_its_files_is_cut(server: Server) -> None:
    files = 8  # 12 MB: more than a kernel buffers for a connection
    async with await Wire.open(server.port, receive_buffer=4096) as wire:
        wire.send(get(f"/static/{LARGE}") * files)
        wire.writer.transport.pause_reading()
        for _ in range(4):  # meanwhile: nothing tells a client that it was cut
            assert (await _again(server)).status == 408
        wire.writer.transport.resume_reading()
        try:
            received = await wire.rest()
        except ConnectionResetError:
            return
    assert received.count(b"HTTP/1.1 200 ") < files


async def _again(server: Server) -> Answer:
    async with await Wire.open(server.port) as wire:
        wire.send(b"GET / HTTP/1.1\r\n")
        return await wire.answer()


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"x", is_last=False),
        frame(TEXT, b"x", is_last=False) + frame(CONTINUATION, b"x", is_last=False),
        frame(TEXT, b"x", length=1000),
        frame(TEXT, b"x", length=500_000),
        b"\x81",
    ],
    ids=["piece", "pieces", "frame", "skipped", "header"],
)
@pytest.mark.parametrize("trickles", [False, True])
async def test_a_message_that_does_not_end_closes_the_socket(
    wire: Wire, data: bytes, trickles: bool
) -> None:
    await wire.become_socket()
    wire.send(data)
    if trickles:
        # Pings may come between the pieces of a message, but not within one.
        wire.trickle(frame(PING) if data[:1] == b"\x01" else b"\xfe")
    while (found := await wire.frame())[0] == PONG:
        pass
    assert found[0] == 8 and int.from_bytes(found[1][:2], "big") == 1009
    assert await wire.rest() == b""


async def test_a_quiet_socket_stays_open(wire: Wire) -> None:
    await wire.become_socket()
    async with await Wire.open(wire.writer.get_extra_info("peername")[1]) as other:
        assert await other.rest() == b""  # for that long
    wire.send(frame(TEXT, b'{"type":"ping"}'))
    assert await wire.frame() == (TEXT, b'{"type":"pong"}')
