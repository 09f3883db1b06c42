"""Freed memory goes back to the system in a quiet moment, after work."""

from __future__ import annotations

import sys
from collections.abc import Callable

from streaming.loop import spare_memory
from streaming.loop.spare_memory import (
    AFTER_CPU_SECONDS,
    LATEST_SECONDS,
    QUIET_SHARE,
    SpareMemory,
    give_back,
)


class Machine:
    """A process whose clocks the test moves."""

    def __init__(self) -> None:
        self.now = self.cpu = 0.0
        self.given = 0
        self.spare = SpareMemory(self._run, now=lambda: self.now, cpu=lambda: self.cpu)

    async def _run(self, work: Callable[[], None]) -> None:
        assert work is give_back
        self.given += 1

    async def second(self, share: float) -> int:
        self.now += 1
        self.cpu += share
        await self.spare.tidy()
        return self.given


async def test_it_goes_back_once_in_the_first_quiet_second_after_work() -> None:
    machine = Machine()
    assert await machine.second(0.0) == 0, "nothing was done"
    assert await machine.second(AFTER_CPU_SECONDS) == 0, "it is busy"
    assert [await machine.second(0.0) for _ in range(3)] == [1, 1, 1]
    await machine.second(AFTER_CPU_SECONDS)
    assert await machine.second(QUIET_SHARE / 2) == 2


async def test_a_process_that_is_never_quiet_gives_back_once_a_minute() -> None:
    machine = Machine()
    given = [await machine.second(1.0) for _ in range(int(2 * LATEST_SECONDS))]
    assert given[int(LATEST_SECONDS) - 2] == 0
    assert given[int(LATEST_SECONDS) - 1] == 1
    assert given[-1] == 2


def test_glibc_is_called() -> None:
    give_back()
    assert (spare_memory._trim is not None) == sys.platform.startswith("linux")
