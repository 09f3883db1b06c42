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


async def hold_out(seconds: float, *, since: float) -> None:
    """The outage itself lasts at least so long."""
    await asyncio.sleep(max(0.0, since + seconds - now()))


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
    gone_at = now()
    await release(upstream, plans)  # from now on all say something that can't be logged
    await refuse_starts(service)
    await hold_out(3, since=gone_at)
    back_at = now()
    await asyncio.to_thread(redis_of_module.start)

    await watching.judge(tmp_path)
    watching.assert_nothing_was_shown(gone_at + IN_FLIGHT_SECONDS, back_at)
    watching.assert_went_on(back_at)
    assert watching.count_since(back_at) >= len(watching.viewings) / 2
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots(at_most_away=1)


@pytest.mark.parametrize("seconds", [3, 10])
async def test_redis_stops_answering_and_goes_on(
    servers: list[Server],
    redis_of_module: RedisServer,
    upstream: UpstreamServer,
    tmp_path: Path,
    seconds: int,
) -> None:
    """Ten seconds are longer than a lease: whose process lives keeps its streams all the same."""
    service = await Service.arrive([server.port for server in servers])
    plans = plans_of(f"stopped-{seconds}")
    watching = await watch_on_both(service, upstream, plans, seed=SEED + seconds)
    await watching.until_all_have(5)

    redis_of_module.stop()
    gone_at = now()
    try:
        await release(upstream, plans)
        await refuse_starts(service)
        running = {stream.stream_id for stream in watching.streams}
        for port in service.ports:
            async with service.visitor(port).socket() as socket:
                assert {one["stream_id"] for one in socket.frames[0]["active"]} == running
                assert now() - gone_at < seconds + 10
            for stream in watching.streams[:4]:
                snapshot = await service.visitor(port).snapshot(stream.stream_id)
                assert snapshot["status"] == "running"
                assert snapshot["text"] and stream.plan.text.startswith(snapshot["text"])
        await hold_out(seconds, since=gone_at)
    finally:
        back_at = now()
        redis_of_module.cont()

    await watching.judge(tmp_path)
    watching.assert_nothing_was_shown(gone_at + IN_FLIGHT_SECONDS, back_at)
    watching.assert_went_on(back_at)
    assert watching.count_since(back_at) >= len(watching.viewings) / 2
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_redis_is_full_and_has_room_again(
    servers: list[Server],
    redis_of_module: RedisServer,
    upstream: UpstreamServer,
    tmp_path: Path,
) -> None:
    service = await Service.arrive([server.port for server in servers])
    plans = plans_of("full")
    watching = await watch_on_both(service, upstream, plans, seed=SEED + 1)
    await watching.until_all_have(5)

    await asyncio.to_thread(redis_of_module.fill)
    gone_at = now()
    await release(upstream, plans)
    await refuse_starts(service)
    await hold_out(7, since=gone_at)  # a lease can't be prolonged either, and runs out
    back_at = now()
    await asyncio.to_thread(redis_of_module.unfill)

    await watching.judge(tmp_path)
    watching.assert_nothing_was_shown(gone_at + IN_FLIGHT_SECONDS, back_at)
    watching.assert_went_on(back_at)
    assert watching.count_since(back_at) >= len(watching.viewings) / 2
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_what_listens_to_redis_is_cut_off_again_and_again(
    servers: list[Server],
    redis_of_module: RedisServer,
    upstream: UpstreamServer,
    tmp_path: Path,
) -> None:
    service = await Service.arrive([server.port for server in servers])
    watching = await watch_on_both(service, upstream, plans_of("cut-off"), seed=SEED + 2)
    killed = 0
    for _ in range(10):
        killed += await asyncio.to_thread(redis_of_module.kill_pubsub_clients)
        await release(upstream, [stream.plan for stream in watching.streams])
        await asyncio.sleep(0.5)
    assert killed >= 10
    await watching.judge(tmp_path)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()
