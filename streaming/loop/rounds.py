"""Rounds: batched wake-ups. The first one after an idle interval is immediate."""

from __future__ import annotations

import asyncio
from typing import Protocol

ROUND_SECONDS = 0.016
"""Minimum interval between rounds: one screen frame, so users don't notice it.

With many streams, serving viewers back to back keeps the CPU caches warm, and tokens that arrive
close together share a wake-up. Source: decisions/009."""


class Rings(Protocol):
    def ring(self) -> None: ...


class Rounds:
    """Rings all due bells together. Belongs to one event loop."""

    def __init__(self, *, every_seconds: float = ROUND_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._due: set[Rings] = set()
        self._next: asyncio.Handle | None = None
        self._last = float("-inf")

    def add(self, who: Rings) -> None:
        """Ring in the next round.

        If the interval has passed, the round runs after the callbacks that the event loop has ready
        now. Simultaneous events therefore share a round.
        """
        self._due.add(who)
        if self._next is not None:
            return
        loop = asyncio.get_running_loop()
        at = self._last + self._every_seconds
        if loop.time() >= at:
            self._next = loop.call_soon(self._ring)
        else:
            self._next = loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._next = None
        self._last = asyncio.get_running_loop().time()
        due, self._due = self._due, set()
        for who in due:
            who.ring()
