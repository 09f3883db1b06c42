"""Clients that do not read: others are unaffected, our launcher cuts them, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.servers.harness import Database, Server, eventually, running
from tests.support.servers.sse_client import ConnectionEnded, SseClient
from tests.support.servers.visitor import Held, Visitor

IMPATIENT = "tests.support.servers.asgi_impatient:application"
FLOOD_TOKENS = 1500  # 6 MB: more than a kernel buffers for a connection
CUT = "ASGI callable returned without completing response"  # uvicorn's message for it
SMALL_BUFFER = 65_536  # at least a packet of the loopback, which a smaller buffer drops


@pytest.fixture(scope="module", params=["serve", "daphne"])
def server(request: pytest.FixtureRequest, module_database: Database) -> Iterator[Server]:
    with running(request.param, module_database, app=IMPATIENT) as started:
        yield started
        started.assert_unharmed()


async def until_cut(server: Server, times: int) -> None:
    await eventually(lambda: server.output.count(CUT) >= times)


async def read_to_the_cut(client: SseClient) -> Held:
    """Read the data that was in flight at the cut."""
    client.widen()
    with pytest.raises(ConnectionEnded):
        await client.until_end()
    client.close()
    return Held().take_all(client.events)


async def assert_others_are_served(visitor: Visitor, stream_id: str) -> str:
    """Read the same stream at full speed, and another one; return the text of the first."""
    same, other = await asyncio.gather(visitor.watch(stream_id), visitor.ask("speak for a second"))
    async with same, other:
        _, spoken = await asyncio.gather(same.until_end(), other.until_end())
    assert Held().take_all(spoken).text == "tick " * 50
    flood = Held().take_all(same.events)
    assert flood.terminal is not None and flood.terminal["type"] == "complete"
    return flood.text


async def test_readers_that_stall_are_left_behind_and_can_go_on_without_loss(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    cut_before = server.output.count(CUT)
    async with visitor.socket(
        "?follow=none", max_queue=1, receive_buffer=SMALL_BUFFER
    ) as slow_socket:
        stream_id = await slow_socket.start("flood")
        slow_socket.stop_reading()
        slow = await visitor.watch(stream_id, receive_buffer=SMALL_BUFFER)

        whole = await assert_others_are_served(visitor, stream_id)
        assert len(whole) > FLOOD_TOKENS * 1000

        if server.kind == "serve":
            await until_cut(server, cut_before + 1)
            # A second viewer, whose duration also covers the socket's time limit.
            second = await visitor.watch(stream_id, receive_buffer=SMALL_BUFFER)
            await until_cut(server, cut_before + 2)
            second.close()
            by_sse = await read_to_the_cut(slow)
            slow_socket.read_again()
            assert await slow_socket.until_closed() == 1013
            by_socket = Held().take_all(slow_socket.events_of(stream_id))
            assert -1 < by_sse.cursor < FLOOD_TOKENS and -1 < by_socket.cursor < FLOOD_TOKENS
            assert by_sse.terminal is None and by_socket.terminal is None

            async with await visitor.watch(stream_id, by_sse.cursor) as client:
                by_sse.take_all(await client.until_end())
            async with visitor.socket("?follow=none") as socket:
                await socket.send(
                    type="resume", ref="r", stream_id=stream_id, after=by_socket.cursor
                )
                await socket.until_end(stream_id)
                by_socket.take_all(socket.events_of(stream_id))
        else:  # Daphne buffers nothing: everything is in flight already
            # Both at the same time: the longer one stalls, the longer its kernel waits before the
            # next probe.
            slow.widen()
            slow_socket.read_again()
            async with slow:
                await asyncio.gather(slow.until_end(), slow_socket.until_end(stream_id))
            by_sse = Held().take_all(slow.events)
            by_socket = Held().take_all(slow_socket.events_of(stream_id))
    for held in (by_sse, by_socket):
        assert held.text == whole
        assert held.snapshots == 0
        assert held.terminal is not None and held.terminal["type"] == "complete"


async def test_a_reader_that_stalls_on_an_endless_stream_does_not_stop_it(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    async with visitor.socket("?follow=none", max_queue=1) as idle_socket:
        stream_id = await idle_socket.start("speak for ever")
        idle_socket.stop_reading()
        async with await visitor.watch(stream_id) as client:
            await client.until(lambda c: len(c.events) > 100)
        status, snapshot = await visitor.call("POST", f"/api/streams/{stream_id}/cancel", {})
        assert (status, snapshot["status"]) == (200, "cancelled")
        idle_socket.read_again()
        assert (await idle_socket.until_end(stream_id))["type"] == "cancelled"
        assert Held().take_all(idle_socket.events_of(stream_id)).text == snapshot["text"]
