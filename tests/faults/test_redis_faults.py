"""Redis fails under two processes and comes back: nothing is lost, shown too early, or paid twice.

Twenty streams, ten of each process, each with four viewers: by SSE and by WebSocket, in the process
that generates it and in the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.both import (
    assert_start_is_refused,
    assert_start_is_refused_by_socket,
    watch_on_both,
)
from tests.faults.client import Service
from tests.faults.plan import Plan
from tests.faults.redis_server import RedisServer, running_redis
from tests.faults.upstream_server import UpstreamServer, running_upstream
from tests.servers.harness import Database, Server, make_template, running_many

SEED = 41_707
STREAMS = 20
IN_FLIGHT_SECONDS = 0.5
"""What was published just before may be on its way to a viewer for so long."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamServer]:
    with running_upstream() as server:
        yield server


@pytest.fixture(scope="module")
def redis_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def servers_of_module(
    upstream: UpstreamServer,
    redis_of_module: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Server]]:
    """Two processes for all tests here: each fault finds them as the one before left them."""
    folder = tmp_path_factory.mktemp("service")
    make_template(folder / "template.sqlite3")
    database = Database(folder / "template.sqlite3", folder / "database")
    environment = {**upstream.environment, "REDIS_URL": redis_of_module.url}
    with running_many(2, database, environment=environment) as servers:
        yield servers


@pytest.fixture
def servers(servers_of_module: list[Server]) -> Iterator[list[Server]]:
    yield servers_of_module
    for server in servers_of_module:
        server.assert_unharmed()


def plans_of(name: str, *, tokens: int = 120, every_ms: float = 100.0) -> list[Plan]:
    """Half of them speak all the time; the others wait for their release, and have said five."""
    plans = []
    for number in range(STREAMS):
        held = {"hold": 1, "after": 5, "every_ms": every_ms / 4} if number % 4 < 2 else {}
        plan = {"tokens": tokens, "every_ms": every_ms, "seed": number, **held}
        plans.append(Plan(f"{name}-{number}", **plan))
    return plans


async def release(upstream: UpstreamServer, plans: list[Plan]) -> None:
    for plan in plans:
        if plan.hold:
            await asyncio.to_thread(upstream.release, plan.key)


async def refuse_starts(service: Service) -> None:
    """Starts are refused, in either process and over either transport; more than once."""
    for _ in range(2):
        visitors = [service.visitor(port) for port in service.ports]
        await asyncio.gather(
            *map(assert_start_is_refused, visitors),
            *map(assert_start_is_refused_by_socket, visitors),
        )


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_redis_is_killed_and_comes_back_empty(
    servers: list[Server],
    redis_of_module: RedisServer,
    upstream: UpstreamServer,
    tmp_path: Path,
) -> None:
    service = await Service.arrive([server.port for server in servers])
    plans = plans_of("empty")
    watching = await watch_on_both(service, upstream, plans, seed=SEED)
    await watching.until_all_have(5)

    await asyncio.to_thread(redis_of_module.kill)
    killed_at = now()
    await release(upstream, plans)  # from now on all say something that can't be logged
    await refuse_starts(service)
    back_at = now()
    await asyncio.to_thread(redis_of_module.start)

    await watching.judge(tmp_path)
    watching.assert_nothing_was_shown(killed_at + IN_FLIGHT_SECONDS, back_at)
    watching.assert_went_on(back_at)
    assert watching.count_since(back_at) == STREAMS * 4
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots(at_most_away=1)
