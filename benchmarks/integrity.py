"""Data lost by ten thousand streams through dropped connections, cancels and kills: none.

Two web processes run on Redis, and on PostgreSQL if it is installed. First comes the crowd of
`tests/support/faults/crowd.py`. Each stream has a viewer whose connection drops at three or more
random points. The viewer reconnects over either transport to either process. Another client cancels
a tenth of the streams. Then one of the two processes, under streams of both, is repeatedly killed
with `kill -9` and restarted. For each viewer the benchmark measures the time without new events.
`tests/support/faults/checker.py` checks everything that clients received.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.faults.checker import check_all
from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.cluster import GONE_SECONDS, Cluster
from tests.support.faults.crowd import (
    CANCEL_P99_SECONDS,
    DROPS,
    RESUME_P99_SECONDS,
    percentile,
    send_crowd,
)
from tests.support.faults.drive import add_truth
from tests.support.faults.history import StreamHistory, write_histories
from tests.support.faults.plan import Plan
from tests.support.faults.postgres_server import POSTGRES_BINARIES, running_postgres
from tests.support.faults.redis_server import running_redis
from tests.support.faults.upstream_server import running_upstream
from tests.support.servers.harness import AnyDatabase, Database, make_template

RESULTS = Path(__file__).parent / "results" / "integrity.json"
BATCH = 500
"""Streams per batch; only one batch's histories are kept."""

KILLED_STREAMS = 20
"""Streams that run at each kill, half of them on each process."""


@dataclass
class Tally:
    streams: int = 0
    connections: int = 0
    drops: int = 0
    resume_seconds: list[float] = field(default_factory=list)
    cancel_seconds: list[float] = field(default_factory=list)
    silent_seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    breaches: int = 0

    def take(self, histories: list[StreamHistory], *, seed: int, name: str) -> None:
        """Check the histories; those with a breach are saved to a file."""
        viewings = [viewing for history in histories for viewing in history.viewings]
        self.streams += len(histories)
        self.connections += sum(len(viewing.connections) for viewing in viewings)
        self.drops += sum(viewing.drops for viewing in viewings)
        breaches = check_all(histories)
        self.breaches += len(breaches)
        if breaches:
            path = Path(tempfile.mkdtemp(prefix="integrity-")) / f"{name}-{seed}.jsonl"
            write_histories(path, histories, seed=seed)
            print(f"  {len(breaches)} BREACHES, see {path}:")
            for breach in breaches[:20]:
                print(f"    {breach}")


@contextmanager
def running_service() -> Iterator[tuple[Cluster, str]]:
    """Run two processes; yields them and the kind of their database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-integrity-")))
        redis = stack.enter_context(running_redis(folder / "redis"))
        upstream = stack.enter_context(running_upstream())
        database: AnyDatabase
        if POSTGRES_BINARIES:
            kind = "PostgreSQL"
            postgres = stack.enter_context(running_postgres())
            database = postgres.make_migrated("integrity", folder / "postgres")
        else:
            kind = "SQLite"
            make_template(folder / "template.sqlite3")
            database = Database(folder / "template.sqlite3", folder / "sqlite")
        cluster = Cluster(database, redis, upstream, {})
        stack.callback(cluster.end)
        cluster.start(web=2)
        yield cluster, kind


async def measure(cluster: Cluster, given: argparse.Namespace) -> Tally:
    tally = Tally()
    service = await Service.arrive(cluster.ports)
    left, number = given.streams, 0
    while left:
        began, count = time.monotonic(), min(BATCH, left)
        outcome = await send_crowd(
            service,
            cluster.upstream,
            streams=count,
            seed=given.seed,
            over_seconds=count / given.per_second,
            at_once=given.at_once,
            name=f"crowd-{number}",
        )
        tally.resume_seconds += outcome.resume_seconds
        tally.cancel_seconds += outcome.cancel_seconds
        tally.wrong += outcome.shortfalls()
        tally.take(outcome.histories, seed=given.seed, name=f"crowd-{number}")
        left, number = left - count, number + 1
        print(
            f"  {tally.streams:6} streams, {tally.drops:6} lost connections,"
            f" {tally.breaches} breaches,"
            f" resume p99 {percentile(outcome.resume_seconds, 99):5.2f} s,"
            f" cancel p99 {percentile(outcome.cancel_seconds, 99):5.2f} s,"
            f" this part in {time.monotonic() - began:.0f} s",
            flush=True,
        )
    for number in range(given.kills):
        silent = await _kill_one(cluster, tally, seed=given.seed, number=number)
        tally.silent_seconds += silent
        print(
            f"  kill {number + 1}: {len(silent)} viewers received new events after"
            f" {percentile(silent, 50):.2f} s (median), {max(silent):.2f} s (maximum)",
            flush=True,
        )
    await asyncio.to_thread(cluster.upstream.wait_until_closed)
    for server in cluster.web:
        server.assert_unharmed()
    return tally


async def _kill_one(cluster: Cluster, tally: Tally, *, seed: int, number: int) -> list[float]:
    """Kill the older process under streams of both.

    Returns:
        For each viewer of its streams, the seconds without new events.
    """
    service = await Service.arrive(cluster.ports)
    victim = cluster.web[0]
    histories, watching = [], []
    doomed = set()
    for turn in range(KILLED_STREAMS):
        home = cluster.web[turn % 2]
        plan = Plan(f"kill-{number}-{turn}", tokens=200, every_ms=80, seed=turn)
        start = start_of(plan.prompt, random.Random(f"{seed}/{plan.key}"))
        status, stream = await service.visitor(home.port).call(
            "POST",
            f"/api/stream/ai-block/{start.block}",
            {"prompt": start.prompt, "request_id": start.request_id},
        )
        assert status == 201, stream
        history = StreamHistory(
            stream["stream_id"],
            request_id=start.request_id,
            prompt=start.prompt,
            recoveries=int(home is victim),
            expected_text=plan.text,
        )
        histories.append(history)
        if home is victim:
            doomed.add(history.stream_id)
        for seat in range(2):
            work = watch_to_the_end(
                service,
                stream_id=history.stream_id,
                rng=random.Random(f"{seed}/{plan.key}/{seat}"),
                name=f"{plan.key}/{seat}",
            )
            watching.append((history, asyncio.ensure_future(work)))
    await cluster.reached([history.stream_id for history in histories], 10)
    killed_at = cluster.kill(victim)
    lasts = {history.stream_id: cluster.last_of(history.stream_id) for history in histories}
    await asyncio.to_thread(cluster.start, web=1, port=victim.port)
    for history, viewing in watching:
        history.viewings.append(await viewing)
    await add_truth(service, histories, cluster.upstream)
    tally.take(histories, seed=seed, name=f"kill-{number}")
    return [
        min(
            (
                at - killed_at
                for connection in viewing.connections
                for event, at in zip(connection.events, connection.times, strict=True)
                if event.get("seq", -1) > lasts[history.stream_id]
            ),
            default=float("inf"),
        )
        for history in histories
        if history.stream_id in doomed
        for viewing in history.viewings
    ]


def figures_of(tally: Tally, seconds: float) -> dict[str, Any]:
    def spread(values: list[float]) -> dict[str, float]:
        if not values:
            return {}
        found = {"p50": percentile(values, 50), "p99": percentile(values, 99), "max": max(values)}
        return {"count": len(values), **{name: round(one, 3) for name, one in found.items()}}

    return {
        "streams": tally.streams,
        "connections": tally.connections,
        "lost_lines": tally.drops,
        "duration_seconds": round(seconds, 1),
        "breaches": tally.breaches,
        "resume_seconds": spread(tally.resume_seconds),
        "cancel_seconds": spread(tally.cancel_seconds),
        "silent_after_kill_seconds": spread(tally.silent_seconds),
    }


def shortfalls(tally: Tally) -> list[str]:
    """Describe the figures that miss their goals."""
    short = list(tally.wrong[:20])
    if tally.breaches:
        short.append(f"{tally.breaches} breaches")
    for name, values, percent, goal in (
        ("resume", tally.resume_seconds, 99, RESUME_P99_SECONDS),
        ("cancel", tally.cancel_seconds, 99, CANCEL_P99_SECONDS),
        ("new events after a kill", tally.silent_seconds, 100, GONE_SECONDS),
    ):
        if values and (found := percentile(values, percent)) > goal:
            short.append(f"{name}: p{percent} is {found:.2f} s; the limit is {goal:g} s")
    return short


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench integrity", description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--per-second", type=float, default=17.0, help="maximum of started streams")
    parser.add_argument("--at-once", type=int, default=28, help="concurrent streams")
    parser.add_argument("--kills", type=int, default=5)
    given = parser.parse_args(argv)
    print(
        f"{given.streams} streams with at least {DROPS} lost connections each, seed {given.seed}:"
    )
    began = time.monotonic()
    with running_service() as (cluster, kind):
        print(f"  two processes on Redis and {kind}")
        try:
            tally = asyncio.run(measure(cluster, given))
        except BaseException:
            cluster.say_all()
            raise
    figures = figures_of(tally, time.monotonic() - began)
    for name in ("resume_seconds", "cancel_seconds", "silent_after_kill_seconds"):
        print(f"  {name.replace('_', ' ')}: {figures[name]}")
    print(
        f"  {figures['streams']} streams, {figures['connections']} connections,"
        f" {figures['lost_lines']} of them lost, {figures['breaches']} breaches,"
        f" {figures['duration_seconds']:.0f} s, seed {given.seed}"
    )
    report = {
        "seed": given.seed,
        "kills": given.kills,
        "per_second": given.per_second,
        "at_once": given.at_once,
        "database": kind,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "goals": {
            "breaches": 0,
            "resume_p99_seconds": RESUME_P99_SECONDS,
            "cancel_p99_seconds": CANCEL_P99_SECONDS,
            "silent_after_kill_seconds": GONE_SECONDS,
        },
        **figures,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    short = shortfalls(tally)
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
