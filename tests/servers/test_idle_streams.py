"""Open streams hold no thread and no database connection, on either transport and server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.servers.harness import Server
from tests.servers.sse_client import SseClient
from tests.servers.visitor import Visitor

STREAMS = 200
AT_ONCE = 20


def held_by(server: Server) -> tuple[int, int]:
    """Threads, and descriptors of the database's file."""
    process = server.process
    path = str(server.database.path)
    return process.num_threads(), sum(file.path == path for file in process.open_files())


async def open_silent(visitor: Visitor, count: int) -> list[SseClient]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one() -> SseClient:
        async with gate:
            client = await visitor.ask("say nothing")
            await client.until_event("start")
            return client

    return await asyncio.gather(*(open_one() for _ in range(count)))


async def open_sockets(visitor: Visitor, stack: AsyncExitStack, ids: list[str]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one(stream_id: str) -> None:
        async with gate:
            socket = await stack.enter_async_context(visitor.socket("?follow=none"))
            await socket.send(type="resume", ref="r", stream_id=stream_id, after=-1)
            assert (await socket.receive())["type"] == "start"

    await asyncio.gather(*(open_one(stream_id) for stream_id in ids))


async def test_two_hundred_idle_streams_add_no_thread_and_no_database_connection(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    # First all threads that the server will ever use, by requests and handshakes side by side.
    for client in await open_silent(visitor, 40):
        client.close()
    async with AsyncExitStack() as stack:
        await open_sockets(visitor, stack, [client.events[0]["stream_id"]] * 40)
    clients = await open_silent(visitor, 2)
    threads, connections = held_by(server)
    assert 0 < connections <= threads

    clients += await open_silent(visitor, STREAMS - 2)
    assert held_by(server)[0] <= threads
    assert held_by(server)[1] <= connections

    ids = [client.events[0]["stream_id"] for client in clients]
    async with AsyncExitStack() as stack:
        await open_sockets(visitor, stack, ids)
        assert held_by(server)[0] <= threads
        assert held_by(server)[1] <= connections
    for client in clients:
        client.close()

    async with visitor.socket("?follow=none") as socket:
        started = [await socket.start("say nothing") for _ in range(STREAMS)]
        assert len(set(started)) == STREAMS
        assert held_by(server)[0] <= threads
        assert held_by(server)[1] <= connections
