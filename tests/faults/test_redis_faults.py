"""Redis fails under two processes and returns: nothing is lost, shown too early, or paid twice.

Each of the two processes generates ten streams. Each stream has four viewers: by SSE and by
WebSocket, on the generating process and on the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.both import (
    BACK_SECONDS,
    REFUSED_SECONDS,
    assert_start_is_refused,
    assert_start_is_refused_by_socket,
    watch_on_both,
)
from tests.support.faults.client import Service
from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.visitor import Socket

SEED = 41_707
STREAMS = 20
LONGER_THAN_A_LEASE_SECONDS = 7.0


@pytest.fixture(scope="module")
def cluster_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two processes for all tests here: each fault finds them as the previous one left them.

    They have the true clock. Both survive every outage and must keep their streams. With a quick
    clock, a busy machine delays heartbeats and leases so long that a living process looks dead.
    """
    with running_cluster(tmp_path_factory.mktemp("redis-faults")) as cluster:
        yield cluster


@pytest.fixture
def cluster(cluster_of_module: Cluster) -> Iterator[Cluster]:
    yield cluster_of_module
    cluster_of_module.say_all()  # shown if the test fails
    for server in cluster_of_module.web:
        server.assert_unharmed()


def plans_of(name: str, *, tokens: int = 120, every_ms: float = 60.0) -> list[Plan]:
    """Plan streams: half send all the time; the others send five tokens and await their release."""
    plans = []
    for number in range(STREAMS):
        held = {"hold": 1, "after": 5, "every_ms": every_ms / 4} if number % 4 < 2 else {}
        plan = {"tokens": tokens, "every_ms": every_ms, "seed": number, **held}
        plans.append(Plan(f"{name}-{number}", **plan))
    return plans


async def release(cluster: Cluster, plans: list[Plan]) -> None:
    for plan in plans:
        if plan.hold:
            await asyncio.to_thread(cluster.upstream.release, plan.key)


async def refuse_starts(service: Service) -> None:
    """Check repeatedly that both processes refuse starts over both transports."""
    for _ in range(2):
        visitors = [service.visitor(port) for port in service.ports]
        await asyncio.gather(
            *map(assert_start_is_refused, visitors),
            *map(assert_start_is_refused_by_socket, visitors),
        )


def now() -> float:
    return asyncio.get_running_loop().time()


async def hold_out(seconds: float, *, since: float) -> None:
    """Wait until the outage has lasted at least this long."""
    await asyncio.sleep(max(0.0, since + seconds - now()))


async def test_redis_is_killed_and_comes_back_empty(cluster: Cluster, tmp_path: Path) -> None:
    service = await Service.arrive(cluster.ports)
    plans = plans_of("empty")
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED)
    await watching.until_all_have(5)

    await asyncio.to_thread(cluster.redis.kill)
    gone_at = now()
    await release(cluster, plans)  # from now on all streams produce events that can't be logged
    await refuse_starts(service)
    await hold_out(3, since=gone_at)
    back_at = now()
    await asyncio.to_thread(cluster.redis.start)

    await watching.judge(tmp_path)
    watching.assert_paused(gone_at, back_at)
    watching.assert_no_snapshots(at_most_away=1)


async def test_redis_stops_answering_for_longer_than_a_lease_and_goes_on(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The streams still stay with their living processes."""
    service = await Service.arrive(cluster.ports)
    plans = plans_of("stopped")
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 10)
    await watching.until_all_have(5)

    cluster.redis.stop()
    gone_at = now()
    try:
        await release(cluster, plans)
        await refuse_starts(service)
        running = {stream.stream_id for stream in watching.streams}
        for port in service.ports:
            begun = now()
            async with service.visitor(port).socket() as socket:
                assert now() - begun < REFUSED_SECONDS
                assert {one["stream_id"] for one in socket.frames[0]["active"]} == running
            for stream in watching.streams[2:6]:
                snapshot = await service.visitor(port).snapshot(stream.stream_id)
                assert snapshot["status"] == "running"
                assert snapshot["text"] and stream.plan.text.startswith(snapshot["text"])
        await hold_out(LONGER_THAN_A_LEASE_SECONDS, since=gone_at)
    finally:
        back_at = now()
        cluster.redis.cont()

    await watching.judge(tmp_path)
    watching.assert_paused(gone_at, back_at)
    watching.assert_no_snapshots()


async def test_many_starts_at_once_are_all_refused_in_time_while_redis_hangs(
    cluster: Cluster,
) -> None:
    """Otherwise each would block one of few threads, and pages behind it, for the whole limit."""
    service = await Service.arrive(cluster.ports)
    visitor = service.visitor(cluster.ports[0])

    async def refused() -> float:
        begun = now()
        status, answer = await visitor.call(
            "POST", "/api/stream/ai-block/ask-question", {"prompt": "no"}
        )
        assert (status, answer["code"]) == (503, "store_unavailable")
        return now() - begun

    cluster.redis.stop()
    try:
        took = await asyncio.gather(*(refused() for _ in range(60)))
        assert max(took) < REFUSED_SECONDS
        begun = now()
        status, _ = await visitor.call("GET", "/api/config")
        assert status == 200
        assert now() - begun < REFUSED_SECONDS
    finally:
        cluster.redis.cont()
    plan = Plan("after-many", tokens=1, every_ms=0)
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            status, _ = await visitor.call(
                "POST", "/api/stream/ai-block/ask-question?wait=1", {"prompt": plan.prompt}
            )
            if status == 200:
                break
            await asyncio.sleep(0.1)


async def test_redis_is_full_and_has_room_again(cluster: Cluster, tmp_path: Path) -> None:
    service = await Service.arrive(cluster.ports)
    plans = plans_of("full")
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 1)
    await watching.until_all_have(5)

    await asyncio.to_thread(cluster.redis.fill)
    gone_at = now()
    await release(cluster, plans)
    await refuse_starts(service)
    # Leases can't be renewed either, and expire.
    await hold_out(LONGER_THAN_A_LEASE_SECONDS, since=gone_at)
    back_at = now()
    await asyncio.to_thread(cluster.redis.unfill)

    await watching.judge(tmp_path)
    watching.assert_paused(gone_at, back_at)
    watching.assert_no_snapshots()


async def test_what_listens_to_redis_is_cut_off_again_and_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    service = await Service.arrive(cluster.ports)
    watching = await watch_on_both(service, cluster.upstream, plans_of("cut-off"), seed=SEED + 2)
    killed = 0
    for _ in range(10):
        killed += await asyncio.to_thread(cluster.redis.kill_pubsub_clients)
        await release(cluster, [stream.plan for stream in watching.streams])
        await asyncio.sleep(0.5)
    assert killed >= 10
    await watching.judge(tmp_path)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_what_is_wished_while_redis_does_not_answer_is_done_when_it_does(
    cluster: Cluster, tmp_path: Path
) -> None:
    service = await Service.arrive(cluster.ports)
    plans = [Plan(f"wish-{n}", tokens=40, every_ms=10, hold=1, after=5) for n in range(4)]
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 3)
    await watching.until_all_have(5)
    cancelled, others = watching.streams[:2], watching.streams[2:]

    cluster.redis.stop()
    try:
        others_ports = [next(p for p in service.ports if p != s.home) for s in cancelled]
        answers = await asyncio.gather(
            *(
                service.visitor(port).call("POST", f"/api/streams/{stream.stream_id}/cancel")
                for stream, port in zip(cancelled, others_ports, strict=True)
            )
        )
        assert [(status, problem["code"]) for status, problem in answers] == [
            (503, "store_unavailable")
        ] * 2
    finally:
        cluster.redis.cont()
    back_at = now()
    await release(cluster, [stream.plan for stream in others])
    await watching.judge(tmp_path, ends=("complete", "cancelled"))
    watching.assert_went_on(back_at)
    assert {viewing.end["type"] for s in cancelled for viewing in s.viewings} == {"cancelled"}
    assert {viewing.end["type"] for s in others for viewing in s.viewings} == {"complete"}
    assert all(cluster.upstream.stats_of(s.plan.key).closed_early == 1 for s in cancelled)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_a_process_that_knows_of_strange_streams_by_their_rows_alone_stops_them(
    cluster: Cluster,
) -> None:
    """The other process's streams, which nobody has watched here and Redis can't be asked about."""
    first, second = cluster.ports
    service = await Service.arrive([first])
    ids = []
    for n in range(10):
        client = await service.visitor(first).ask(Plan(f"strange-{n}", hold=1).prompt)
        ids.append((await client.until_event("chunk"))["stream_id"])
        client.close()
    cluster.redis.stop()
    begun = now()
    try:
        async with service.visitor(second).socket() as socket:
            assert now() - begun < REFUSED_SECONDS  # one time limit of a call, not one for each
            active = socket.frames[0]["active"]
            assert {one["stream_id"] for one in active} == set(ids)
            for stream_id in ids:
                await socket.send(type="cancel", stream_id=stream_id)
            for _ in ids:
                refused = await socket.until(lambda frame: frame["type"] == "refused")
                assert refused["code"] == "store_unavailable"
            # The cancel intents are stored, so the models stop before Redis is back.
            await asyncio.to_thread(cluster.upstream.wait_until_closed)
            cluster.redis.cont()
            async with asyncio.timeout(2 * BACK_SECONDS):
                for stream_id in ids:
                    await _see_cancelled(socket, stream_id)
    finally:
        cluster.redis.cont()


async def _see_cancelled(socket: Socket, stream_id: str) -> None:
    """Retry like a client while Redis has only just returned."""
    while True:
        await socket.send(type="cancel", stream_id=stream_id)
        answer = await socket.until(lambda frame: frame["type"] in ("start", "refused"))
        if answer["type"] == "start":
            assert answer["status"] == "cancelled"
            return
        assert answer["code"] == "store_unavailable"
        await asyncio.sleep(answer["retry_after_ms"] / 1000)
