"""The line of one of two processes to Redis is bad, that of the other is not: nobody sees it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.bad_line import BadLine, Line, plans_of, running_on_a_line
from tests.support.faults.both import (
    IN_FLIGHT_SECONDS,
    Watched,
    assert_start_is_refused,
    assert_start_is_refused_by_socket,
    timed,
    watch_on_both,
)
from tests.support.faults.client import Service
from tests.support.faults.cluster import Cluster
from tests.support.faults.fault_proxy import Connection, Fault
from tests.support.faults.plan import Plan

SEED = 90_211
STREAMS = 20
SECONDS = 3.0


@pytest.fixture(scope="module")
def both_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Line]]:
    # With the true clock, like test_redis_faults.py: both processes survive and keep their streams.
    with running_on_a_line(tmp_path_factory.mktemp("redis-line")) as both:
        yield both


@pytest.fixture
def cluster(both_of_module: tuple[Cluster, Line]) -> Iterator[Cluster]:
    cluster, _ = both_of_module
    yield cluster
    cluster.say_all()  # shown if the test fails
    for server in cluster.web:
        server.assert_unharmed()


@pytest.fixture
def line(both_of_module: tuple[Cluster, Line]) -> Line:
    return both_of_module[1]


def shown_between(stream: Watched, begin: float, end: float) -> bool:
    """Whether all viewers at the generating process received events in that time."""
    return all(
        any("seq" in event and begin < at < end for at, event in timed(viewing))
        for viewing in stream.at_home
    )


async def test_nothing_comes_through_for_a_while(
    cluster: Cluster, line: Line, tmp_path: Path
) -> None:
    service = await Service.arrive(cluster.ports)
    well, cut_off = cluster.ports
    plans = plans_of("hole", STREAMS, tokens=120, every_ms=60)
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED)
    await watching.until_all_have(5)
    clock = asyncio.get_running_loop().time

    await line.do(lambda proxy: proxy.black_hole())
    gone_at = clock()
    try:
        await assert_start_is_refused(service.visitor(cut_off))
        await assert_start_is_refused_by_socket(service.visitor(cut_off))
        path = "/api/stream/ai-block/ask-question?wait=1"
        ask = {"prompt": Plan("hole-meanwhile", tokens=3).prompt}
        status, whole = await service.visitor(well).call("POST", path, ask)
        assert (status, whole["status"]) == (200, "complete")
        await asyncio.sleep(max(0.0, gone_at + SECONDS - clock()))
    finally:
        back_at = clock()
        await line.do(lambda proxy: proxy.clear())

    await watching.judge(tmp_path)
    for stream in watching.streams:
        assert shown_between(stream, gone_at + IN_FLIGHT_SECONDS, back_at) == (stream.home == well)
    watching.assert_went_on(back_at)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_it_breaks_at_any_byte_again_and_again(
    cluster: Cluster, line: Line, tmp_path: Path
) -> None:
    service = await Service.arrive(cluster.ports)
    plans = plans_of("reset", STREAMS, tokens=120, every_ms=60)
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 1)
    await watching.until_all_have(5)
    before = line.proxy.accepted

    def begin(proxy: BadLine) -> None:
        proxy.rng = random.Random(SEED)
        proxy.reset()

    def end(proxy: BadLine) -> None:
        proxy.rng = None
        proxy.clear()

    await line.do(begin)
    await asyncio.sleep(2 * SECONDS)
    broken = line.proxy.accepted - before
    await line.do(end)
    assert broken > 20
    await watching.judge(tmp_path)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_each_byte_comes_by_itself(cluster: Cluster, line: Line, tmp_path: Path) -> None:
    service = await Service.arrive(cluster.ports)
    plans = plans_of("slices", 8, tokens=60, every_ms=50)
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 2)
    before: dict[Connection, tuple[int, int]] = {}

    def slice_all(proxy: BadLine) -> None:
        proxy.fault = Fault(slice_bytes=1)
        for connection in proxy.connections:
            before[connection] = (connection.sent, connection.writes)
            connection.set_fault(proxy.fault)

    await line.do(slice_all)
    try:
        await watching.judge(tmp_path)
    finally:
        await line.do(lambda proxy: proxy.clear())
    carried = [(one.sent - sent, one.writes - writes) for one, (sent, writes) in before.items()]
    assert all(size == count for size, count in carried)
    assert sum(size for size, _ in carried) > 10_000
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()
