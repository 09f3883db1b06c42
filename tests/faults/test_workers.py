"""Answers that workers generate: web processes come and go, and workers die."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.faults.audience import assert_told_in_time
from tests.support.faults.cluster import QUICKLY_GONE_SECONDS, Cluster, running_cluster
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan
from tests.support.faults.with_workers import (
    DRAIN_SECONDS,
    WORKERS,
    judge,
    two_web_processes,
    watch,
)
from tests.support.servers.harness import eventually


@pytest.fixture(scope="module")
def with_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("workers")
    with running_cluster(folder, environment=WORKERS, is_quick=True) as cluster:
        yield cluster


@pytest.fixture
def cluster(with_workers: Cluster) -> Cluster:
    return two_web_processes(with_workers)


def assert_undisturbed(histories: list[StreamHistory]) -> None:
    """Check that no viewer was disconnected, and nothing was repeated."""
    for history in histories:
        for viewing in history.viewings:
            assert viewing.ways == ["terminal"], viewing.name
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
    assert_told_in_time(histories, lasts, since=killed_at, within_seconds=QUICKLY_GONE_SECONDS)
    assert_undisturbed(histories)
    # A worker whose heartbeat a busy machine delays is taken for dead, too: a second hand-over.
    assert recoveries[0] >= 1 and max(recoveries) <= 2
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
        assert await asyncio.to_thread(second.wait, 60) == 0
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
        assert await asyncio.to_thread(worker.wait, DRAIN_SECONDS + 30) == 0
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


async def test_while_a_worker_drains_a_new_answer_comes_from_another(
    cluster: Cluster, tmp_path: Path
) -> None:
    held = Plan("held-by-who-drains", tokens=40, hold=1, after=20)
    ids: dict[str, str] = {}
    cluster.start(workers=2, environment={"STREAM_DRAIN_SECONDS": "120"})
    async with cluster.visited() as service:
        watching = watch(service, [held], ids)
        await cluster.reached(ids.values(), 5, count=1)
        draining = cluster.generator_of(ids[held.key])
        draining.signal(signal.SIGTERM)
        await eventually(lambda: "Stopping: " in draining.output)
        new = [Plan(f"asked-meanwhile-{n}", tokens=10, seed=n) for n in range(4)]
        told = await watch(service, new, {})
        await eventually(lambda: len(cluster.unended()) == 1)  # the new ones' rows are saved, too
        assert draining.popen.poll() is None
        cluster.release([held])
        assert await asyncio.to_thread(draining.wait, 60) == 0
        draining.assert_nothing_broke()
        cluster.take_out(draining)
        recoveries = await judge(cluster, service, [*await watching, *told], tmp_path)
    assert set(recoveries) == {0}


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
            _, left = await asyncio.to_thread(psutil.wait_procs, models, timeout=30)
            assert left == []
