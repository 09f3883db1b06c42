"""How late an event loop runs its timers."""

from __future__ import annotations

import asyncio

from ..metrics.buckets import LOOP_LAGS

LOOK_SECONDS = 0.1

MISSED_AT_MOST = 300
"""Timers that count as missed in one pause: half a minute's. A machine that slept for a night
would otherwise outweigh all that came before."""


class LoopLag:
    """Looks ten times a second. A timer without a task: it ends with its loop.

    A pause that outlasts a timer has missed others, which count as late, too. A loop that stands
    still for a quarter of the time would else be late in one look of a hundred.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = 0.0

    def begin(self) -> None:
        """Begin on the running loop. Idempotent."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._plan(loop)

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + LOOK_SECONDS
        loop.call_at(self._due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        late = max(0.0, loop.time() - self._due)
        LOOP_LAGS.observe(late)
        for missed in range(1, min(int(late / LOOK_SECONDS), MISSED_AT_MOST) + 1):
            LOOP_LAGS.observe(late - missed * LOOK_SECONDS)
        self._plan(loop)
