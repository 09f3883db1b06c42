"""The event loop's lag is measured by timers that it runs late."""

from __future__ import annotations

import asyncio
import time

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
    assert seen.counts[1] == 1


async def test_beginning_again_adds_no_second_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_at", lambda when, *_: planned.append(when), raising=False)
    measuring = LoopLag()
    measuring.begin()
    measuring.begin()
    monkeypatch.undo()
    assert len(planned) == 1
