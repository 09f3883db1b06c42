"""What waits in the queue of the workers: it is lost, doubled, or outlives who would have taken it.

The clock is the true one: by a quick clock workers find what waits before the queue tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.cluster import PREFIX, Cluster, running_cluster
from tests.support.faults.history import Viewing
from tests.support.faults.plan import Plan
from tests.support.faults.with_workers import WORKERS, judge, two_web_processes, watch
from tests.support.servers.harness import eventually

QUEUE = f"{PREFIX}:queue"


@pytest.fixture(scope="module")
def with_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("queue"), environment=WORKERS) as cluster:
        yield cluster


@pytest.fixture
def cluster(with_workers: Cluster) -> Cluster:
    return two_web_processes(with_workers)


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
    viewings: list[Viewing] = []
    (worker,) = cluster.start(workers=1, environment={"STREAM_MAX_RUNNING": "2"})
    async with cluster.visited() as service:
        watching = watch(service, plans, ids, viewings)
        await eventually(lambda: len(ids) == 6 and len(called(cluster, plans)) == 2)
        await cluster.reached([ids[plan.key] for plan in called(cluster, plans)], 9, count=2)
        # A viewer that joined while Redis is away would rightly be told 503.
        await eventually(lambda: all(v.connections and v.connections[-1].events for v in viewings))
        assert len(viewings) == 3 * len(plans)
        assert cluster.redis.client().llen(QUEUE) >= 3
        await asyncio.to_thread(cluster.redis.kill)
        cluster.release(plans)  # from now on what is said can't be logged
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
        redis.rpush(QUEUE, *tasks)  # once more, now that all is over
        await eventually(lambda: redis.llen(QUEUE) == 0)
        recoveries = await judge(cluster, service, histories, tmp_path)
    assert set(recoveries) == {0}
    assert {history.calls for history in histories} == {1}
