"""Sockets of a real server while Redis hangs, and without Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.redis_server import RedisServer, running_redis
from tests.support.servers.harness import BUSY_SECONDS, Database, running
from tests.support.servers.visitor import Socket, Visitor

OPEN_SECONDS = 3.0 + BUSY_SECONDS
BACK_SECONDS = 30.0


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis") as server:
        yield server


UNREAD = {"max_queue": None}
"""Otherwise a client that buffers unread frames would not see the reply to its close."""


async def open_and_close(visitor: Visitor) -> None:
    """Open a socket that gets its `hello` and its close in time."""
    async with asyncio.timeout(OPEN_SECONDS):
        async with visitor.socket() as socket:
            assert socket.frames[0]["type"] == "hello"
        assert socket.connection.close_code == 1000


async def is_open(socket: Socket) -> bool:
    async with asyncio.timeout(OPEN_SECONDS):
        await (await socket.connection.ping())
    return True


async def until_told(speaker: Socket, listener: Socket) -> None:
    """Start streams at one socket until the other receives one."""
    async with asyncio.timeout(BACK_SECONDS):
        for number in range(1000):
            ref = f"again-{number}"
            await speaker.send(type="start", ref=ref, block_type="ask-question", prompt="Hi")
            answer = await speaker.until(lambda frame, ref=ref: frame.get("ref") == ref)
            if answer["type"] != "start":
                await asyncio.sleep(0.2)
                continue
            try:
                async with asyncio.timeout(3.0):
                    stream_id = answer["stream_id"]
                    await listener.until(lambda frame, id=stream_id: frame.get("stream_id") == id)
            except TimeoutError:
                continue
            return


async def test_sockets_open_live_and_close_while_redis_hangs(
    database: Database, redis_server: RedisServer
) -> None:
    with running("serve", database, environment={"REDIS_URL": redis_server.url}) as server:
        visitor = await Visitor.arrive(server.port)
        async with visitor.socket(**UNREAD) as before, visitor.socket() as leaves:
            redis_server.stop()
            try:
                for _ in range(3):  # at first the process has not noticed the hang
                    await open_and_close(visitor)
                async with asyncio.timeout(OPEN_SECONDS):
                    await leaves.connection.close()
                async with asyncio.timeout(OPEN_SECONDS):
                    opening = visitor.socket(**UNREAD)
                    during = await opening.__aenter__()
                assert await is_open(before)
            finally:
                redis_server.cont()
            await until_told(before, during)
            await opening.__aexit__(None, None, None)
        server.assert_unharmed()


async def test_sockets_open_live_and_close_while_there_is_no_redis(
    database: Database, redis_server: RedisServer
) -> None:
    with running("serve", database, environment={"REDIS_URL": redis_server.url}) as server:
        visitor = await Visitor.arrive(server.port)
        async with visitor.socket(**UNREAD) as before, visitor.socket() as leaves:
            redis_server.kill()
            for _ in range(3):
                await open_and_close(visitor)
            async with asyncio.timeout(OPEN_SECONDS):
                await leaves.connection.close()
            async with visitor.socket(**UNREAD) as during:
                assert await is_open(before)
                redis_server.start()
                await until_told(before, during)
        server.assert_unharmed()


async def test_a_server_stops_in_order_while_redis_hangs(
    database: Database, redis_server: RedisServer
) -> None:
    with running("serve", database, environment={"REDIS_URL": redis_server.url}) as server:
        visitor = await Visitor.arrive(server.port)
        async with visitor.socket():
            redis_server.stop()
            try:
                server.popen.terminate()
                assert await asyncio.to_thread(server.wait, 60) == 0
            finally:
                redis_server.cont()
        server.assert_nothing_broke()
