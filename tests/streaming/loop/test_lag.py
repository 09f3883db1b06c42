"""The event loop's lag is measured by timers that it runs late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from streaming.loop import lag
from streaming.loop.lag import LoopLag
from streaming.metrics.buckets import Buckets


async def test_a_loop_that_is_held_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Buckets("lag_seconds", "", (0.05,))
    looked = asyncio.Event()
    observe = seen.observe

    class Noted(Buckets):
        def observe(self, value: float) -> None:
            observe(value)
            looked.set()

    monkeypatch.setattr(lag, "LOOP_LAGS", Noted("lag_seconds", "", (0.05,)))
    LoopLag().begin()
    time.sleep(0.2)  # holds the loop beyond its timer
    await looked.wait()
    assert seen.total >= 0.09
    assert seen.counts[1] >= 1


async def test_beginning_again_adds_no_second_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_at", lambda when, *_: planned.append(when), raising=False)
    measuring = LoopLag()
    measuring.begin()
    measuring.begin()
    monkeypatch.undo()
    assert len(planned) == 1


class FakeLoop:
    """A loop whose timers run when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.look: Callable[[], None] = lambda: None

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., None], *args: object) -> None:
        self.look = lambda: callback(*args)

    def run_after(self, seconds: float) -> None:
        self.now += seconds
        self.look()


@pytest.mark.parametrize(
    ("late", "counted"), [(0.05, 1), (0.15, 2), (4.05, 41), (86_400.0, 1 + lag.MISSED_AT_MOST)]
)
def test_a_pause_counts_the_timers_that_it_missed(
    monkeypatch: pytest.MonkeyPatch, late: float, counted: int
) -> None:
    seen = Buckets("lag_seconds", "", (0.001, 0.25))
    loop, measuring = FakeLoop(), LoopLag()
    monkeypatch.setattr(lag, "LOOP_LAGS", seen)
    monkeypatch.setattr(
        lag, "asyncio", SimpleNamespace(get_running_loop=lambda: loop, AbstractEventLoop=object)
    )
    measuring.begin()
    loop.run_after(lag.LOOK_SECONDS + late)
    assert sum(seen.counts) == counted
    loop.run_after(lag.LOOK_SECONDS)  # it looks on, and is in time again
    assert sum(seen.counts) == counted + 1


def test_a_loop_that_stands_still_for_a_quarter_of_the_time_is_late_in_a_quarter_of_its_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Buckets("lag_seconds", "", (0.25,))
    loop, measuring = FakeLoop(), LoopLag()
    monkeypatch.setattr(lag, "LOOP_LAGS", seen)
    monkeypatch.setattr(
        lag, "asyncio", SimpleNamespace(get_running_loop=lambda: loop, AbstractEventLoop=object)
    )
    measuring.begin()
    for _ in range(120):
        loop.run_after(lag.LOOK_SECONDS)
    loop.run_after(4.0)
    assert 0.2 < seen.counts[1] / sum(seen.counts) < 0.25
