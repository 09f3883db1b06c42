"""Open streams hold no thread and no database connection, on either transport and server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.servers.conftest import on_both
from tests.support.servers.harness import Server
from tests.support.servers.sse_client import SseClient
from tests.support.servers.visitor import Visitor

STREAMS = 200
AT_ONCE = 20


def held_by(server: Server) -> tuple[int, int]:
    """Return the numbers of threads, and of descriptors of the database's file."""
    process = server.process
    path = str(server.database.path)
    return process.num_threads(), sum(file.path == path for file in process.open_files())


class Watcher:
    """A visitor with one silent stream, watched by SSE."""

    def __init__(self, visitor: Visitor, client: SseClient) -> None:
        self.visitor = visitor
        self.client = client

    @property
    def stream_id(self) -> str:
        stream_id = self.client.events[0]["stream_id"]
        assert isinstance(stream_id, str)
        return stream_id


async def open_silent(server: Server, count: int) -> list[Watcher]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one() -> Watcher:
        async with gate:
            visitor = Visitor(server.port)
            client = await visitor.ask("say nothing")
            await client.until_event("start")
            return Watcher(visitor, client)

    return await asyncio.gather(*(open_one() for _ in range(count)))


async def open_sockets(watchers: list[Watcher], stack: AsyncExitStack) -> None:
    """Open a socket for each, on the stream that it already watches."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one(watcher: Watcher) -> None:
        async with gate:
            socket = await stack.enter_async_context(watcher.visitor.socket("?follow=none"))
            await socket.send(type="resume", ref="r", stream_id=watcher.stream_id, after=-1)
            assert (await socket.receive())["type"] == "start"

    await asyncio.gather(*(open_one(watcher) for watcher in watchers))


@on_both
async def test_two_hundred_idle_streams_add_no_thread_and_no_database_connection(
    server: Server,
) -> None:
    # First make the server start all threads that it will ever use, with concurrent requests.
    first = await open_silent(server, 2 * AT_ONCE)
    async with AsyncExitStack() as stack:
        await open_sockets(first, stack)
    for watcher in first[2:]:
        watcher.client.close()
    # A thread opens its connection when it first needs it, and keeps it.
    threads, connections = held_by(server)
    assert 0 < connections <= threads < STREAMS / 4

    watchers = first[:2] + await open_silent(server, STREAMS - 2)
    assert held_by(server)[0] <= threads
    assert held_by(server)[1] <= threads

    async with AsyncExitStack() as stack:
        await open_sockets(watchers, stack)
        assert held_by(server)[0] <= threads
        assert held_by(server)[1] <= threads
    for watcher in watchers:
        watcher.client.close()

    async with (await Visitor.arrive(server.port)).socket("?follow=none") as socket:
        started = [await socket.start("say nothing") for _ in range(STREAMS)]
        assert len(set(started)) == STREAMS
        assert held_by(server)[0] <= threads
        assert held_by(server)[1] <= threads
