"""Rounds: who has news is told at once after a quiet moment, else together with the others."""

from __future__ import annotations

import asyncio
from typing import Protocol

ROUND_SECONDS = 0.016
"""At most one round in so much time, which is one frame of a screen, so nobody sees it. Where many
streams run, viewers served one after the other find the processor warm, and tokens that came close
together share a wake-up. Source: decisions/009."""


class Rings(Protocol):
    def ring(self) -> None: ...


class Rounds:
    """Rings for those who have news, all of them in one go. Belongs to one event loop."""

    def __init__(self, *, every_seconds: float = ROUND_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._due: set[Rings] = set()
        self._next: asyncio.Handle | None = None
        self._last = float("-inf")

    def add(self, who: Rings) -> None:
        """Ring in the next round. That is as soon as the event loop has done what is due just now,
        if the last one is long enough ago: what came in one go is told in one go."""
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
