"""A stopped process is presumed dead: when it continues, others own its streams.

Each process generates six streams. Each stream has four viewers: by SSE and by WebSocket, on both
processes.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.support.faults.both import watch_on_both
from tests.support.faults.cluster import running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.harness import eventually

SEED = 60_607
STOPPED_SECONDS = 3.0  # of which a lease lasts one and a half
AWAKE_SECONDS = 1.0  # it has looked at its leases by then, and upstream still thinks
THINKS_MS = 8_000.0

HELD = {"hold": 1, "after": 5}


async def test_a_process_that_wakes_after_its_lease_appends_nothing_more(tmp_path: Path) -> None:
    # Upstream thinks for long before these. The new owner has added nothing when the stopped
    # process wakes with buffered data that the log lacks.
    thinking = [
        Plan(f"thinks-{n}", tokens=60, every_ms=20, wait_ms=THINKS_MS, seed=n, **HELD)
        for n in range(6)
    ]
    # To these the new owner has long added events.
    speaking = [Plan(f"speaks-{n}", tokens=250, every_ms=60, seed=n, **HELD) for n in range(6)]
    plans = thinking + speaking
    with running_cluster(tmp_path / "cluster", web=2, is_quick=True) as cluster:
        async with cluster.visited() as service:
            watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED)
            await watching.until_all_have(5)
            sleeper, _ = cluster.web
            left = {s.stream_id: s.plan for s in watching.streams if s.home == sleeper.port}
            lasts = {id: cluster.last_of(id) for id, plan in left.items() if plan.wait_ms}

            def are_taken() -> bool:
                stats = cluster.upstream.stats()
                return all(stats[plan.key].calls == 2 for plan in left.values())

            sleeper.signal(signal.SIGSTOP)
            try:
                cluster.release(plans)
                await asyncio.sleep(STOPPED_SECONDS)
                await eventually(are_taken)
            finally:
                sleeper.signal(signal.SIGCONT)
            await asyncio.sleep(AWAKE_SECONDS)
            assert {id: cluster.last_of(id) for id in lasts} == lasts

            await watching.judge(tmp_path, recovered=left)
            streams = [stream.stream_id for stream in watching.streams]
            assert cluster.recoveries(streams) == [int(id in left) for id in streams]
            for stream in watching.streams:
                stats = cluster.upstream.stats_of(stream.plan.key)
                assert (stats.calls, stats.strangers) == (1 + (stream.stream_id in left), 0)
