"""Servers with the true clock: checks the true value of each time that `quick_clock.py` shortens.

A time that is too short fails here on any machine. So does one that is far too long.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults.cluster import GONE_SECONDS, PREFIX, Cluster, running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.harness import ROOT, clean_environment, eventually
from tests.support.servers.quick_clock import NAMES, QUICKER
from tests.support.servers.visitor import Visitor

BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 6.0
LEASE_SECONDS = 6.0
LOG_UNREACHABLE_SECONDS = 3.0
LOG_STEADY_SECONDS = 6.0
WATCHED_SECONDS = 5.0

NOTICED_SECONDS = 3.0
"""A process's last failed call to Redis may precede the end of the outage by this much."""

LATE_SECONDS = 1.5
"""A busy machine may be late by this much each time."""

CHANGES = 3


@pytest.fixture(scope="module")
def cluster_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("true-clock"), web=2) as cluster:
        yield cluster


@pytest.fixture
def cluster(cluster_of_module: Cluster) -> Cluster:
    cluster_of_module.ensure(web=2)
    return cluster_of_module


class Begun:
    """A running stream of the first process, with a viewer."""

    def __init__(self, cluster: Cluster, visitor: Visitor, plan: Plan, stream_id: str) -> None:
        self.cluster = cluster
        self.visitor = visitor
        self.plan = plan
        self.stream_id = stream_id
        self._redis = cluster.redis.client()

    def fact(self, name: str) -> int:
        """Return a number from the stream's log; times are in ms of Redis' clock."""
        return int(str(self._redis.hget(f"{PREFIX}:{{{self.stream_id}}}", name)))

    def now(self) -> int:
        """Return the time of Redis' clock, in ms."""
        seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def until_taken(self) -> None:
        """Wait until the other process has taken the stream over."""
        await eventually(
            lambda: self.cluster.recoveries([self.stream_id]) == [1], timeout_seconds=GONE_SECONDS
        )

    async def complete(self) -> None:
        """Let the stream end, and check that a viewer at the surviving process sees the end."""
        self.cluster.release([self.plan])
        self.visitor.port = self.cluster.web[0].port
        async with await self.visitor.watch(self.stream_id) as client:
            assert (await client.until_end())[-1]["type"] == "complete"


@asynccontextmanager
async def begun(cluster: Cluster, key: str) -> AsyncIterator[Begun]:
    plan = Plan(key, tokens=12, every_ms=10, hold=1, after=5)
    async with cluster.visited() as service:
        visitor = service.visitor(cluster.web[0].port)
        async with await visitor.ask(plan.prompt) as client:
            stream_id = (await client.until_event("start"))["stream_id"]
            await cluster.reached([stream_id], 4)
            stream = Begun(cluster, visitor, plan, stream_id)
            yield stream
        await stream.complete()


async def changes(read: Callable[[], float]) -> list[float]:
    """Return the steps of a value from one change to the next, a few times."""
    values = [read()]
    while len(values) < CHANGES + 2:
        await eventually(lambda: read() != values[-1])
        values.append(read())
    del values[0]  # it may be older than one step
    return [after - before for before, after in itertools.pairwise(values)]


def assert_each_takes(seconds: list[float], expected: float) -> None:
    """Assert that no step is shorter than expected, and that at least one is not much longer."""
    assert min(seconds) > expected - 0.1, seconds
    assert min(seconds) < expected + LATE_SECONDS, seconds


async def test_leases_last_six_seconds_and_leases_beats_and_viewers_are_reported_in_time(
    cluster: Cluster,
) -> None:
    """Leases and heartbeats are renewed every two seconds, watched streams named every five."""
    async with begun(cluster, "intervals") as stream:
        left: list[int] = []

        def until() -> float:
            value = stream.fact("until")
            left.append(value - stream.now())
            return value / 1000

        def beat_at() -> float:
            query = "SELECT julianday(beat_at) FROM streaming_serverprocess WHERE id = ?"
            ((days,),) = cluster.rows(query, process)
            return float(days) * 86_400

        ((process,),) = cluster.rows("SELECT MIN(id) FROM streaming_serverprocess")
        leases, beats, watched = await asyncio.gather(
            changes(until), changes(beat_at), changes(lambda: stream.fact("seen") / 1000)
        )
    assert_each_takes(leases, BEAT_SECONDS)
    assert_each_takes(beats, BEAT_SECONDS)
    assert_each_takes(watched, WATCHED_SECONDS)
    assert max(left) <= LEASE_SECONDS * 1000
    assert max(left) > (LEASE_SECONDS - LATE_SECONDS) * 1000


async def test_a_take_over_waits_for_the_end_of_the_dead_generators_lease(cluster: Cluster) -> None:
    async with begun(cluster, "killed") as stream:
        await cluster.renewed(stream.stream_id)
        until = stream.fact("until")
        cluster.kill(cluster.web[0])
        # Longer than until the next scan of the other process: only the lease holds that back.
        assert until - stream.now() > BEAT_SECONDS * 1000
        await stream.until_taken()
        assert stream.now() >= until


async def test_a_process_is_dead_six_seconds_after_its_last_beat(cluster: Cluster) -> None:
    """The process is stopped, so it keeps its lock; the test expires its lease."""
    first = cluster.web[0]
    async with begun(cluster, "stopped") as stream:
        query = "SELECT process FROM streaming_stream WHERE id = ?"
        ((process,),) = cluster.rows(query, stream.stream_id)
        first.signal(signal.SIGSTOP)
        try:
            cluster.redis.client().hset(f"{PREFIX}:{{{stream.stream_id}}}", "until", 0)
            query = "SELECT beat_at FROM streaming_serverprocess WHERE id = ?"
            ((beat_at,),) = cluster.rows(query, process)
            await stream.until_taken()
            query = "SELECT (julianday('now') - julianday(?)) * 86400"
            ((seconds,),) = cluster.rows(query, beat_at)
        finally:
            cluster.kill(first)
        assert seconds > DEAD_AFTER_SECONDS


async def test_no_orphan_is_taken_over_before_redis_has_been_reachable_for_six_seconds(
    cluster: Cluster,
) -> None:
    async with begun(cluster, "steady") as stream:
        until = stream.fact("until")
        left_seconds = (until - stream.now()) / 1000
        cluster.redis.stop()
        try:
            cluster.kill(cluster.web[0])
            await asyncio.sleep(left_seconds)  # the lease expires
        finally:
            back_at = time.monotonic()
            cluster.redis.cont()
        await stream.until_taken()
        assert time.monotonic() - back_at >= LOG_STEADY_SECONDS - NOTICED_SECONDS


async def test_a_process_is_not_ready_after_three_seconds_without_redis(
    cluster: Cluster,
) -> None:
    visitor = Visitor(cluster.web[0].port)
    assert await is_ready(visitor)
    cluster.redis.stop()
    try:
        gone_at = time.monotonic()
        async with asyncio.timeout(GONE_SECONDS):
            while await is_ready(visitor):
                pass
        assert time.monotonic() - gone_at >= LOG_UNREACHABLE_SECONDS
    finally:
        cluster.redis.cont()


async def is_ready(visitor: Visitor) -> bool:
    status, _ = await visitor.call("GET", "/readyz")
    return status == 200


# --- the quick clock ------------------------------------------------------------------

_ALL = f"""
import importlib, json, pkgutil, sys
import streaming

for found in pkgutil.walk_packages(streaming.__path__, "streaming."):
    if ".migrations" not in found.name and ".management" not in found.name:
        importlib.import_module(found.name)
from streaming.event_log.redis.log import RedisEventLog

print(json.dumps({{
    **{{
        f"{{module}}.{{name}}": value
        for module in list(sys.modules) if module.startswith("streaming.")
        for name, value in vars(sys.modules[module]).items()
        if name in {sorted(NAMES)!r}
    }},
    "the lease that a log takes": RedisEventLog.__init__.__kwdefaults__["lease_seconds"],
}}))
"""


def constants(folder: Path, *launcher: str) -> Any:
    command = [sys.executable, *launcher, "manage.py", "shell", "-v0", "-c", _ALL]
    environment = {**clean_environment(), "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_a_quick_clock_divides_every_time_by_four_wherever_it_is_read(tmp_path: Path) -> None:
    true = constants(tmp_path)
    quick = constants(tmp_path, "-m", "tests.support.servers.quick_clock")
    assert {name.rpartition(".")[2] for name in true} > NAMES
    assert quick == {name: seconds / QUICKER for name, seconds in true.items()}
