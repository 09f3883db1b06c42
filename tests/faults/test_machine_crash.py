"""The machine crashes: all generators are gone, and Redis has lost its last moments."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.faults.audience import Seat, ends_of, watch_from
from tests.support.faults.cluster import running_cluster
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.plan import Plan

SEED = 61_440


async def test_what_viewers_saw_and_redis_has_lost_is_not_numbered_twice(tmp_path: Path) -> None:
    plans = [Plan(f"crash-{n}", tokens=150, every_ms=40, hold=1, after=120) for n in range(6)]
    ids: dict[str, str] = {}
    with running_cluster(tmp_path / "cluster", web=1, is_quick=True) as cluster:
        async with cluster.visited() as service:
            seats = [Seat("starter", service), Seat("sse", service, "s"), Seat("ws", service, "w")]
            watching = asyncio.ensure_future(
                watch_from(
                    seats,
                    plans,
                    seed=SEED,
                    on_start=lambda plan, stream_id: ids.__setitem__(plan.key, stream_id),
                )
            )
            await cluster.reached(ids.values(), 20, count=len(plans))
            await asyncio.to_thread(cluster.redis.client().save)  # the state after the crash
            await cluster.reached(ids.values(), 119, count=len(plans))
            (web,) = cluster.web
            cluster.kill(web)
            cluster.redis.kill()
            await asyncio.to_thread(cluster.redis.start)
            assert all(cluster.last_of(stream_id) < 119 for stream_id in ids.values())
            await asyncio.to_thread(cluster.start, web=1, port=web.port)
            cluster.release(plans)
            histories = await watching
            recoveries = cluster.recoveries(ids.values())
            for history, count in zip(histories, recoveries, strict=True):
                history.recoveries = count
            await add_truth(service, histories, cluster.upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    assert {end["type"] for end in ends_of(histories)} == {"complete"}
    assert recoveries == [1] * len(plans)
    assert all(end["seq"] > 100_000 for end in ends_of(histories))
