"""Processes that start without Redis: they start, report it, and work once it arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.faults.both import (
    BACK_SECONDS,
    assert_start_is_refused,
    assert_start_is_refused_by_socket,
    watch_on_both,
)
from tests.support.faults.client import Service
from tests.support.faults.plan import Plan
from tests.support.faults.redis_server import RedisServer
from tests.support.faults.upstream_server import UpstreamServer
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.visitor import Visitor

SEED = 5_501


@pytest.fixture
def no_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis with an address that is not started."""
    server = RedisServer(tmp_path / "redis")
    yield server
    server.end()


async def until_a_start_works(visitor: Visitor, key: str) -> float:
    """Return the time until a start works, in seconds."""
    begun = time.monotonic()
    while True:
        ask = {"prompt": Plan(key, tokens=1, every_ms=0).prompt}
        path = "/api/stream/ai-block/ask-question?wait=1"
        status, answer = await visitor.call("POST", path, ask)
        if status == 200:
            assert answer["status"] == "complete"
            return time.monotonic() - begun
        assert (status, answer["code"]) == (503, "store_unavailable")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("runner", ["inline", "worker"])
async def test_processes_come_up_without_redis_and_work_once_it_is_there(
    runner: str,
    no_redis: RedisServer,
    upstream: UpstreamServer,
    template: Path,
    tmp_path: Path,
) -> None:
    database = Database(template, tmp_path / "database")
    environment = {
        **upstream.environment,
        "REDIS_URL": no_redis.url,
        "AI_STREAMING_RUNNER": runner,
    }
    kinds = ["serve", "serve"] + ["work"] * (runner == "worker")
    servers: list[Server] = []
    with ExitStack() as stack:
        for kind in kinds:
            servers.append(stack.enter_context(running(kind, database, environment=environment)))
        service = await Service.arrive([server.port for server in servers[:2]])
        for port in service.ports:
            visitor = service.visitor(port)
            async with await visitor.open("/") as page:
                assert page.status == 200
                await page.until(lambda client: b"</html>" in client.body)
            for path in ("/api/config", "/api/blocks", "/api/streams"):
                status, _ = await visitor.call("GET", path)
                assert status == 200, path
            await assert_start_is_refused(visitor)
            await assert_start_is_refused_by_socket(visitor)
        status, history = await service.visitor().call("GET", "/api/streams")
        assert (status, history["results"]) == (200, []), "a start that was refused left a row"

        async with service.visitor().socket() as socket:
            await asyncio.to_thread(no_redis.start)
            for number, port in enumerate(service.ports):
                seconds = await until_a_start_works(service.visitor(port), f"{runner}-{number}")
                assert seconds < BACK_SECONDS
            await socket.send(type="ping")
            await socket.until(lambda frame: frame["type"] == "pong")

        plans = [Plan(f"{runner}-both-{n}", tokens=30, every_ms=20, seed=n) for n in range(4)]
        watching = await watch_on_both(service, upstream, plans, seed=SEED)
        await watching.judge(tmp_path)
        watching.assert_no_connection_ended()
        watching.assert_no_snapshots()
        for server in servers:
            server.assert_unharmed()
