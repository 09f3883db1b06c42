"""One of two processes has a bad connection to Redis, the other a good one; no viewer notices.

The proxy runs in a thread of its own, so that a test's loop does not delay its traffic.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.both import (
    IN_FLIGHT_SECONDS,
    Watched,
    assert_start_is_refused,
    assert_start_is_refused_by_socket,
    timed,
    watch_on_both,
)
from tests.faults.client import Service
from tests.faults.cluster import GONE_SECONDS, Cluster, running_cluster
from tests.faults.fault_proxy import Connection, Fault, FaultProxy
from tests.faults.plan import Plan
from tests.servers.harness import eventually

SEED = 90_211
STREAMS = 20
SECONDS = 3.0


class BadLine(FaultProxy):
    """A proxy that can also break each connection at a random byte."""

    rng: random.Random | None = None

    @property
    def fault(self) -> Fault:
        if self.rng is None:
            return self._fault
        # Some break in the first bytes, before any request; others carry some commands.
        return Fault(reset_after=self.rng.randrange(1, self.rng.choice([500, 2_500])))

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._fault = fault


class Line:
    """Controls the proxy from outside of its thread."""

    def __init__(self, proxy: BadLine, loop: asyncio.AbstractEventLoop) -> None:
        self.proxy = proxy
        self.port = proxy.port
        self._loop = loop

    async def do(self, harm: Callable[[BadLine], object]) -> None:
        """Call `harm` with the proxy, on its loop."""

        async def call() -> None:
            harm(self.proxy)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), self._loop))


@contextmanager
def running_line(target_port: int) -> Iterator[Line]:
    ready, over = threading.Event(), asyncio.Event()
    lines: list[Line] = []

    async def carry() -> None:
        async with BadLine(target_port) as proxy:
            lines.append(Line(proxy, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(carry(),))
    thread.start()
    ready.wait()
    try:
        yield lines[0]
    finally:
        lines[0]._loop.call_soon_threadsafe(over.set)
        thread.join()


@pytest.fixture(scope="module")
def both_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Line]]:
    with (
        running_cluster(tmp_path_factory.mktemp("redis-line"), web=1) as cluster,
        running_line(cluster.redis.port) as line,
    ):
        try:
            url = f"redis://127.0.0.1:{line.port}/0"
            cluster.start(web=1, environment={"REDIS_URL": url})
            yield cluster, line
        finally:
            cluster.end()  # while the connection works


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


def plans_of(name: str, count: int, *, tokens: int, every_ms: float) -> list[Plan]:
    return [Plan(f"{name}-{n}", tokens=tokens, every_ms=every_ms, seed=n) for n in range(count)]


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
        assert shown_between(stream, gone_at + 0.5, back_at) == (stream.home == well)
    watching.assert_went_on(back_at)
    watching.assert_no_connection_ended()
    watching.assert_no_snapshots()


async def test_nothing_comes_through_for_longer_than_a_lease(
    cluster: Cluster, line: Line, tmp_path: Path
) -> None:
    """The other process takes over the streams that the isolated one can't write."""
    service = await Service.arrive(cluster.ports)
    _, cut_off = cluster.ports
    plans = plans_of("long-hole", 8, tokens=300, every_ms=60)
    watching = await watch_on_both(service, cluster.upstream, plans, seed=SEED + 3)
    await watching.until_all_have(5)
    left = [stream for stream in watching.streams if stream.home == cut_off]

    await line.do(lambda proxy: proxy.black_hole())
    gone_at = asyncio.get_running_loop().time()

    def went_on_elsewhere(stream: Watched) -> bool:
        return all(
            any("seq" in event and at > gone_at + IN_FLIGHT_SECONDS for at, event in timed(viewing))
            for viewing in stream.away
        )

    try:
        await eventually(lambda: all(map(went_on_elsewhere, left)), timeout_seconds=GONE_SECONDS)
    finally:
        await line.do(lambda proxy: proxy.clear())
    await watching.judge(tmp_path, recovered=[stream.stream_id for stream in left])
    recoveries = cluster.recoveries([stream.stream_id for stream in watching.streams])
    assert recoveries == [int(stream in left) for stream in watching.streams]
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
