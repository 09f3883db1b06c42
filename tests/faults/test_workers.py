"""Answers that worker processes generate: web processes come and go, and workers die."""

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
DRAIN_SECONDS = 2
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
    recoveries: int = 0,
) -> None:
    for history in histories:
        history.recoveries = recoveries
    await add_truth(service, histories, cluster.upstream)
    give_verdict(histories, seed=SEED, folder=folder)
    assert {end["type"] for end in ends_of(histories)} == {"complete"}


def seats_of(service: Service) -> list[Seat]:
    return [Seat("starter", service), Seat("sse", service, "s"), Seat("websocket", service, "w")]


async def test_other_workers_go_on_where_one_was_killed(cluster: Cluster, tmp_path: Path) -> None:
    plans = [Plan(f"killed-{n}", tokens=140, every_ms=40, seed=n) for n in range(12)]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1)
    async with cluster.visited() as service:
        watching = asyncio.ensure_future(
            watch_from(
                seats_of(service),
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        await cluster.reached(ids.values(), 20, count=len(plans))
        await asyncio.to_thread(cluster.start, workers=2)  # each stream is for one of them
        killed_at = cluster.kill(worker)
        lasts = {stream_id: cluster.last_of(stream_id) for stream_id in ids.values()}
        histories = await watching
        await judge(cluster, service, histories, tmp_path, recoveries=1)
    assert_told_in_time(histories, lasts, since=killed_at, within_seconds=GONE_SECONDS)
    for history in histories:  # no viewer even lost its line
        assert {c.ended_by for v in history.viewings for c in v.connections} == {"terminal"}
    all_stats = cluster.upstream.stats()
    assert {all_stats[plan.key].calls for plan in plans} == {2}
    assert all(len(all_stats[plan.key].continued_at) == 1 for plan in plans)


async def test_web_processes_that_die_or_restart_do_not_touch_an_answer(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"web-{n}", tokens=120, every_ms=40, seed=n) for n in range(12)]
    ids: dict[str, str] = {}
    cluster.start(workers=1)
    first, second = cluster.web
    async with cluster.visited() as service:
        watching = asyncio.ensure_future(
            watch_from(
                seats_of(service),
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        await cluster.reached(ids.values(), 20, count=len(plans))
        cluster.kill(first)
        again = await asyncio.to_thread(cluster.start, web=1, port=first.port)
        second.signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.wait, 20) == 0
        assert len(cluster.unended()) == len(plans), "all ended before the second restart"
        cluster.take_out(second)
        service.ports[:] = [again[0].port]
        histories = await watching
        await judge(cluster, service, histories, tmp_path)
    all_stats = cluster.upstream.stats()
    assert {all_stats[plan.key].calls for plan in plans} == {1}
    assert set(cluster.recoveries(ids.values())) == {0}


def called(cluster: Cluster, plans: list[Plan]) -> list[Plan]:
    """Those that upstream was asked for."""
    stats = cluster.upstream.stats()
    return [plan for plan in plans if plan.key in stats]


async def test_what_waits_in_the_queue_outlives_the_worker_that_would_have_taken_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"queued-{n}", tokens=20, every_ms=20, hold=1, after=10) for n in range(20)]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1, environment={"STREAM_MAX_RUNNING": "4"})
    async with cluster.visited() as service:
        watching = asyncio.ensure_future(
            watch_from(
                [Seat("starter", service)],
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        await eventually(lambda: len(ids) == 20 and len(called(cluster, plans)) == 4)
        taken = called(cluster, plans)
        assert cluster.redis.client().llen(QUEUE) >= 14
        cluster.kill(worker)
        for plan in plans:
            cluster.upstream.release(plan.key)
        await asyncio.to_thread(cluster.start, workers=1)
        histories = await watching
        for history, plan in zip(histories, plans, strict=True):
            history.recoveries = int(plan in taken)
        await add_truth(service, histories, cluster.upstream)
        give_verdict(histories, seed=SEED, folder=tmp_path)
    assert {end["type"] for end in ends_of(histories)} == {"complete"}


async def test_a_worker_that_is_told_to_stop_hands_over_and_viewers_notice_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [
        Plan(f"stopped-{n}", tokens=180 if n % 2 else 50, every_ms=40, seed=n) for n in range(12)
    ]
    ids: dict[str, str] = {}
    (worker,) = cluster.start(workers=1)
    async with cluster.visited() as service:
        watching = asyncio.ensure_future(
            watch_from(
                seats_of(service),
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        await cluster.reached(ids.values(), 10, count=len(plans))
        await asyncio.to_thread(cluster.start, workers=1)
        worker.signal(signal.SIGTERM)
        code = await asyncio.to_thread(worker.wait, DRAIN_SECONDS + 10)
        assert code == 0
        worker.assert_nothing_broke()
        cluster.take_out(worker)
        histories = await watching
        await judge(cluster, service, histories, tmp_path, recoveries=1)
    for history in histories:
        assert {c.ended_by for v in history.viewings for c in v.connections} == {"terminal"}
        assert not any(e["type"] in ("reset", "snapshot") for e in history.log or [])
    assert set(cluster.recoveries(ids.values())) == {0}  # they were left, not found dead
    all_stats = cluster.upstream.stats()
    calls = [all_stats[plan.key].calls for plan in plans]
    assert calls == [2 if n % 2 else 1 for n in range(12)]


async def test_a_stream_that_is_dispatched_again_and_again_is_generated_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"twice-{n}", tokens=20, every_ms=20, hold=1, after=10, seed=n) for n in range(4)]
    ids: dict[str, str] = {}
    redis = cluster.redis.client()
    async with cluster.visited() as service:
        watching = asyncio.ensure_future(
            watch_from(
                [Seat("starter", service)],
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        await eventually(lambda: redis.llen(QUEUE) == len(plans))
        tasks = redis.lrange(QUEUE, 0, -1)
        redis.rpush(QUEUE, *tasks, *tasks)
        await asyncio.to_thread(cluster.start, workers=2)
        await cluster.reached(ids.values(), 9, count=len(plans))
        redis.rpush(QUEUE, *tasks)
        await eventually(lambda: redis.llen(QUEUE) == 0)
        for plan in plans:
            cluster.upstream.release(plan.key)
        histories = await watching
        redis.rpush(QUEUE, *tasks)  # once more, now that all is over
        await eventually(lambda: redis.llen(QUEUE) == 0)
        await judge(cluster, service, histories, tmp_path)
    assert {cluster.upstream.stats_of(plan.key).calls for plan in plans} == {1}


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
