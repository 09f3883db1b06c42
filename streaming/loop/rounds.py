"""Rounds: batched wake-ups. The first one after an idle interval is immediate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Protocol

from ..metrics.buckets import DELIVERIES

ROUND_SECONDS = 0.016
"""Least interval between rounds: one screen frame, so users don't notice it.

With many streams, serving viewers back to back keeps the CPU caches warm, and tokens that arrive
close together share a wake-up. Source: decisions/009."""

SLICE_SECONDS = 0.005
"""How long a round may hold the event loop at a time."""


class Rings(Protocol):
    def ring(self) -> None:
        """Wake the owner. Must not raise: the others of the round follow."""
        ...


class HasBells(Protocol):
    @property
    def bells(self) -> Collection[Rings]: ...


class Rounds:
    """Rings the bells of all that have news together. Belongs to one event loop.

    A round that takes long lets the loop run in between.

    Args:
        seconds: returns the least interval between two rounds.
        slice_seconds: how long a round may hold the loop at a time.
    """

    def __init__(
        self,
        seconds: Callable[[], float] = lambda: ROUND_SECONDS,
        *,
        slice_seconds: float = SLICE_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._seconds = seconds
        self._slice_seconds = slice_seconds
        self._clock = clock
        self._due: set[HasBells] = set()
        self._alone: int | None = None  # id of the one in the last round, if it was one
        self._is_ringing = False
        self._ringing: list[Rings] = []
        self._next: asyncio.Handle | None = None
        self._last = float("-inf")
        self._news_at = 0.0  # when the first of those due had news
        self._ringing_since = 0.0  # the same, of the round that rings

    def add(self, who: HasBells) -> None:
        """Ring their bells in the next round.

        If the interval has passed, the round runs after the callbacks that the event loop has ready
        now. Simultaneous events therefore share a round. One that had the last round to itself is
        rung at once.
        """
        is_first = not self._due
        self._due.add(who)
        if is_first:  # else a round is planned, or follows the one that rings
            self._news_at = asyncio.get_running_loop().time()
            if self._next is None and not self._is_ringing:
                self._plan(self._news_at)

    def _plan(self, now: float) -> None:
        loop = asyncio.get_running_loop()
        at = self._last + self._seconds()
        if now < at:
            self._next = loop.call_at(at, self._begin)
        elif len(self._due) == 1 and id(*self._due) == self._alone:
            self._begin()
        else:
            self._next = loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._last = asyncio.get_running_loop().time()
        due, self._due = self._due, set()
        self._ringing_since = self._news_at
        self._alone = id(*due) if len(due) == 1 else None
        self._ringing = [bell for who in due for bell in who.bells]
        self._ring()

    def _ring(self) -> None:
        clock, ringing = self._clock, self._ringing
        until = clock() + self._slice_seconds
        self._is_ringing = True
        while ringing:
            ringing.pop().ring()
            if clock() > until and ringing:
                self._next = asyncio.get_running_loop().call_soon(self._ring)
                return
        self._is_ringing = False
        self._next = None
        now = asyncio.get_running_loop().time()
        DELIVERIES.observe(now - self._ringing_since)
        if self._due:
            self._plan(now)
