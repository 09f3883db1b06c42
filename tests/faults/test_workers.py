"""Answers that workers generate: web processes come and go, and workers die."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.audience import Seat, assert_told_in_time, ends_of, watch_from
from tests.faults.client import Service
from tests.faults.cluster import GONE_SECONDS, PREFIX, Cluster, running_cluster
from tests.faults.drive import add_truth, give_verdict
from tests.faults.history import StreamHistory
from tests.faults.plan import Plan
from tests.servers.harness import eventually

SEED = 20_263
DRAIN_SECONDS = 3
WORKERS = {"AI_STREAMING_RUNNER": "worker", "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS)}

QUEUE = f"{PREFIX}:queue"


@pytest.fixture(scope="module")
def with_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("workers")
    with running_cluster(folder, web=2, workers=0, environment=WORKERS) as cluster:
        yield cluster


@pytest.fixture
def cluster(with_workers: Cluster) -> Cluster:
    """Two web processes, and no worker yet."""
    for worker in list(with_workers.workers):
        with_workers.kill(worker)
    with_workers.ensure(web=2)
    return with_workers


async def judge(
    cluster: Cluster,
    service: Service,
    histories: list[StreamHistory],
    folder: Path,
    *,
    end: str = "complete",
) -> list[int]:
    """Check all histories, allowing one call each, plus one for each recovery in its row.

    Returns:
        Those numbers of recoveries.
    """
    recoveries = cluster.recoveries([history.stream_id for history in histories])
    for history, count in zip(histories, recoveries, strict=True):
        history.recoveries = count
    await add_truth(service, histories, cluster.upstream)
    give_verdict(histories, seed=SEED, folder=folder)
    assert {one.get("code", one["type"]) for one in ends_of(histories)} == {end}
    return recoveries


def watch(
    service: Service, plans: list[Plan], ids: dict[str, str]
) -> asyncio.Task[list[StreamHistory]]:
    """Watch a stream for each plan from three seats; `ids` maps keys to stream ids."""

    def tell(plan: Plan, stream_id: str) -> None:
        ids[plan.key] = stream_id

    seats = [Seat("starter", service), Seat("sse", service, "s"), Seat("ws", service, "w")]
    return asyncio.ensure_future(watch_from(seats, plans, seed=SEED, on_start=tell))


def assert_undisturbed(histories: list[StreamHistory]) -> None:
    """Check that no viewer was disconnected, and nothing was repeated."""
    for history in histories:
        for viewing in history.viewings:
            assert [c.ended_by for c in viewing.connections] == ["terminal"], viewing.name
        assert not any(e["type"] in ("reset", "snapshot") for e in history.log or [])


async def test_other_workers_go_on_with_what_a_killed_one_left(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [
        Plan(f"killed-{n}", tokens=90, every_ms=40, hold=1, after=60, seed=n) for n in range(12)
    ]
    ids: dict[str, str] = {}
    cluster.start(workers=3)
    async with cluster.visited() as service:
        watching = watch(service, plans, ids)
        await cluster.reached(ids.values(), 20, count=len(plans))
        assert len(cluster.unended()) == len(plans)
        killed_at = cluster.kill(cluster.generator_of(ids[plans[0].key]))
        lasts = {stream_id: cluster.last_of(stream_id) for stream_id in ids.values()}
        cluster.release(plans)
        histories = await watching
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert_told_in_time(histories, lasts, since=killed_at, within_seconds=GONE_SECONDS)
    assert_undisturbed(histories)
    # Each handed-over stream, like the first one, found one new worker.
    assert recoveries[0] == 1 and set(recoveries) <= {0, 1}
    assert [history.calls for history in histories] == [1 + count for count in recoveries]


async def test_what_a_killed_one_left_ends_though_no_other_ever_comes(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"forlorn-{n}", tokens=20, every_ms=20, hold=1, after=10) for n in range(4)]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1)
    (web,) = cluster.start(web=1, environment={"STREAM_DEADLINE_SECONDS": "3"})
    try:
        async with cluster.visited() as service:
            watching = watch(service, plans, ids)
            await cluster.reached(ids.values(), 5, count=len(plans))
            cluster.kill(worker)
            histories = await watching
            recoveries = await judge(cluster, service, histories, tmp_path, end="deadline_exceeded")
    finally:
        cluster.kill(web)
    assert_undisturbed(histories)
    assert set(recoveries) == {1}


async def test_web_processes_that_die_or_restart_do_not_touch_an_answer(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"web-{n}", tokens=80, every_ms=40, hold=1, after=60, seed=n) for n in range(12)]
    ids: dict[str, str] = {}
    cluster.start(workers=1)
    first, second = cluster.web
    async with cluster.visited() as service:
        watching = watch(service, plans, ids)
        await cluster.reached(ids.values(), 20, count=len(plans))
        cluster.kill(first)
        (again,) = await asyncio.to_thread(cluster.start, web=1, port=first.port)
        second.signal(signal.SIGTERM)
        # It generates nothing, so nothing delays its end.
        assert await asyncio.to_thread(second.wait, 20) == 0
        cluster.take_out(second)
        assert len(cluster.unended()) == len(plans)
        service.ports[:] = [again.port]
        cluster.release(plans)
        histories = await watching
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert set(recoveries) == {0}
    assert {history.calls for history in histories} == {1}


async def test_a_worker_that_is_told_to_stop_hands_over_and_viewers_notice_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    short = [Plan(f"short-{n}", tokens=25, every_ms=40, seed=n) for n in range(8)]
    long = [Plan(f"long-{n}", tokens=160, every_ms=40, hold=1, after=130, seed=n) for n in range(8)]
    ids: dict[str, str] = {}
    cluster.start(workers=2)
    async with cluster.visited() as service:
        watching = watch(service, long, ids)
        await cluster.reached(ids.values(), 10, count=len(long))
        watching_short = watch(service, short, ids)
        await cluster.reached(ids.values(), 0, count=len(long) + len(short))
        worker = cluster.generator_of(ids[long[0].key])
        worker.signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, DRAIN_SECONDS + 10) == 0
        worker.assert_nothing_broke()
        cluster.take_out(worker)
        cluster.release(long)
        histories = [*await watching_short, *await watching]
        for history in histories[8:]:
            history.retries = 1  # a handover costs one more call, but is not a recovery
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert_undisturbed(histories)
    assert set(recoveries) == {0}  # handed over, not found dead
    assert {history.calls for history in histories[:8]} == {1}
    calls = [history.calls for history in histories[8:]]
    assert calls[0] == 2 and set(calls) <= {1, 2}


def called(cluster: Cluster, plans: list[Plan]) -> list[Plan]:
    """Return the plans that upstream was called for."""
    stats = cluster.upstream.stats()
    return [plan for plan in plans if plan.key in stats]


async def test_what_waits_in_the_queue_outlives_the_worker_that_would_have_taken_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"queued-{n}", tokens=20, every_ms=20, hold=1, after=10) for n in range(20)]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1, environment={"STREAM_MAX_RUNNING": "4"})
    async with cluster.visited() as service:
        watching = watch(service, plans, ids)
        await eventually(lambda: len(ids) == 20 and len(called(cluster, plans)) == 4)
        taken = called(cluster, plans)
        assert cluster.redis.client().llen(QUEUE) >= 14
        cluster.kill(worker)
        cluster.release(plans)
        await asyncio.to_thread(cluster.start, workers=1)
        histories = await watching
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert recoveries == [int(plan in taken) for plan in plans]
    assert [history.calls for history in histories] == [1 + count for count in recoveries]


async def test_redis_comes_back_without_the_queue_and_without_what_was_said(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"emptied-{n}", tokens=20, every_ms=20, hold=1, after=10) for n in range(6)]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1, environment={"STREAM_MAX_RUNNING": "2"})
    async with cluster.visited() as service:
        watching = watch(service, plans, ids)
        await eventually(lambda: len(ids) == 6 and len(called(cluster, plans)) == 2)
        await cluster.reached([ids[plan.key] for plan in called(cluster, plans)], 9, count=2)
        assert cluster.redis.client().llen(QUEUE) >= 3
        await asyncio.to_thread(cluster.redis.kill)
        cluster.release(plans)  # from now on further tokens can't be logged
        await eventually(lambda: "Redis can't be reached" in worker.output)
        await asyncio.to_thread(cluster.redis.start)
        histories = await watching
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert set(recoveries) == {0}
    assert {history.calls for history in histories} == {1}
    assert {c.ended_by for h in histories for v in h.viewings for c in v.connections} == {
        "terminal"
    }


async def test_a_stream_that_is_dispatched_again_and_again_is_generated_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"twice-{n}", tokens=20, every_ms=20, hold=1, after=10, seed=n) for n in range(4)]
    ids: dict[str, str] = {}
    redis = cluster.redis.client()
    async with cluster.visited() as service:
        watching = watch(service, plans, ids)
        await eventually(lambda: redis.llen(QUEUE) == len(plans))
        tasks = redis.lrange(QUEUE, 0, -1)
        redis.rpush(QUEUE, *tasks, *tasks)
        await asyncio.to_thread(cluster.start, workers=2)
        await cluster.reached(ids.values(), 9, count=len(plans))
        redis.rpush(QUEUE, *tasks)
        await eventually(lambda: redis.llen(QUEUE) == 0)
        cluster.release(plans)
        histories = await watching
        redis.rpush(QUEUE, *tasks)  # once more, after the end
        await eventually(lambda: redis.llen(QUEUE) == 0)
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert set(recoveries) == {0}
    assert {history.calls for history in histories} == {1}


async def test_the_local_model_belongs_to_the_worker_and_dies_with_it(tmp_path: Path) -> None:
    environment = {**WORKERS, "AI_MODEL": "local:smollm2-135m"}
    with running_cluster(tmp_path, web=1, workers=1, environment=environment) as cluster:
        async with cluster.visited() as service:
            (web,), (worker,) = cluster.web, cluster.workers
            visitor = service.visitor()
            async with await visitor.ask("Tell me a long story about the sea.") as client:
                stream_id = (await client.until_event("start"))["stream_id"]
                await client.until_event("chunk", timeout_seconds=60)
                assert web.process.children(recursive=True) == []
                models = worker.process.children(recursive=True)
                assert len(models) == 1
                status, snapshot = await visitor.call("POST", f"/api/streams/{stream_id}/cancel")
                assert (status, snapshot["status"]) == (200, "cancelled")
                await client.until_event("cancelled")
            cluster.kill(worker)
            _, left = await asyncio.to_thread(psutil.wait_procs, models, timeout=5)
            assert left == []
