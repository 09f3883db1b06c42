"""A bad line to Redis for one of two processes.

The proxy runs in a thread of its own, so that work in the test's loop does not delay its bytes.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.faults.plan import Plan


class BadLine(FaultProxy):
    """A proxy that can also break each connection at a random byte."""

    rng: random.Random | None = None

    @property
    def fault(self) -> Fault:
        if self.rng is None:
            return self._fault
        # Some break before the first command; others carry several commands.
        return Fault(reset_after=self.rng.randrange(1, self.rng.choice([500, 2_500])))

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._fault = fault


class Line:
    """Controls the proxy from another thread."""

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


@contextmanager
def running_on_a_line(folder: Path, *, is_quick: bool = False) -> Iterator[tuple[Cluster, Line]]:
    """Two processes on one Redis. The line of the second one can be made bad."""
    with (
        running_cluster(folder, web=1, is_quick=is_quick) as cluster,
        running_line(cluster.redis.port) as line,
    ):
        try:
            url = f"redis://127.0.0.1:{line.port}/0"
            cluster.start(web=1, environment={"REDIS_URL": url})
            yield cluster, line
        finally:
            cluster.end()  # while the line is there


def plans_of(name: str, count: int, *, tokens: int, every_ms: float) -> list[Plan]:
    return [Plan(f"{name}-{n}", tokens=tokens, every_ms=every_ms, seed=n) for n in range(count)]
