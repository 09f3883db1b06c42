"""Streams that worker processes generate, watched at web processes from three seats."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.faults.audience import Seat, ends_of, watch_from
from tests.support.faults.client import Service
from tests.support.faults.cluster import Cluster
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.history import StreamHistory, Viewing
from tests.support.faults.plan import Plan

SEED = 20_263
DRAIN_SECONDS = 5
WORKERS = {"AI_STREAMING_RUNNER": "worker", "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS)}


def two_web_processes(cluster: Cluster) -> Cluster:
    """Return the cluster with two web processes and without workers."""
    for worker in list(cluster.workers):
        cluster.kill(worker)
    cluster.ensure(web=2)
    return cluster


async def judge(
    cluster: Cluster,
    service: Service,
    histories: list[StreamHistory],
    folder: Path,
    *,
    end: str = "complete",
) -> list[int]:
    """Check all histories; allow one upstream call for each, and one more for each recovery.

    Returns:
        The number of recoveries of each stream, from its row.
    """
    recoveries = cluster.recoveries([history.stream_id for history in histories])
    for history, count in zip(histories, recoveries, strict=True):
        history.recoveries = count
    await add_truth(service, histories, cluster.upstream)
    give_verdict(histories, seed=SEED, folder=folder)
    assert {one.get("code", one["type"]) for one in ends_of(histories)} == {end}
    return recoveries


def watch(
    service: Service,
    plans: list[Plan],
    ids: dict[str, str],
    viewings: list[Viewing] | None = None,
) -> asyncio.Task[list[StreamHistory]]:
    """Watch a stream for each plan from three seats.

    Args:
        ids: gets the ids of the streams, by key.
        viewings: gets all viewings, for callers that wait until they have joined.
    """

    def tell(plan: Plan, stream_id: str) -> None:
        ids[plan.key] = stream_id

    seats = [Seat("starter", service), Seat("sse", service, "s"), Seat("ws", service, "w")]
    on_viewing = None if viewings is None else viewings.append
    return asyncio.ensure_future(
        watch_from(seats, plans, seed=SEED, on_start=tell, on_viewing=on_viewing)
    )
