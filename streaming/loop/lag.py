"""How late an event loop runs its timers."""

from __future__ import annotations

import asyncio

from ..metrics.buckets import LOOP_LAGS

LOOK_SECONDS = 0.1


class LoopLag:
    """Looks ten times a second. A timer without a task: it ends with its loop."""

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
        LOOP_LAGS.observe(max(0.0, loop.time() - self._due))
        self._plan(loop)
