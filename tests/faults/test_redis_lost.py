"""Redis is lost to one of two processes for longer than a lease: the other has its streams."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.faults.bad_line import plans_of, running_on_a_line
from tests.support.faults.both import IN_FLIGHT_SECONDS, Watched, timed, watch_on_both
from tests.support.faults.cluster import QUICKLY_GONE_SECONDS
from tests.support.servers.harness import eventually

SEED = 90_214


async def test_the_other_process_goes_on_with_what_the_one_that_is_cut_off_cannot_write(
    tmp_path: Path,
) -> None:
    with running_on_a_line(tmp_path / "redis-lost", is_quick=True) as (cluster, line):
        async with cluster.visited() as service:
            _, cut_off = cluster.ports
            plans = plans_of("long-hole", 8, tokens=300, every_ms=60)
            watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED)
            await watching.until_all_have(5)
            left = [stream for stream in watching.streams if stream.home == cut_off]

            await line.do(lambda proxy: proxy.black_hole())
            gone_at = asyncio.get_running_loop().time()

            def went_on_elsewhere(stream: Watched) -> bool:
                since = gone_at + IN_FLIGHT_SECONDS
                return all(
                    any("seq" in event and at > since for at, event in timed(viewing))
                    for viewing in stream.away
                )

            try:
                await eventually(
                    lambda: all(map(went_on_elsewhere, left)), timeout_seconds=QUICKLY_GONE_SECONDS
                )
            finally:
                await line.do(lambda proxy: proxy.clear())
            await watching.judge(tmp_path, recovered=[stream.stream_id for stream in left])
            recoveries = cluster.recoveries([stream.stream_id for stream in watching.streams])
            assert recoveries == [int(stream in left) for stream in watching.streams]
            watching.assert_no_connection_ended()
            watching.assert_no_snapshots()
