"""Rate limits on replays: events that a visitor requests again."""

from __future__ import annotations

from collections.abc import Callable

from ..access.visitor import Visitor
from ..errors import Refused
from .bucket import Buckets

BURST_SECONDS = 40.0
"""Burst size in seconds of the rate: several reloads of a page with seven long answers fit in."""


class Replays:
    """Limits replayed events, over all connections of a visitor to one process.

    A 100-byte resume can trigger the replay of a whole answer. The limit applies to the visitor and
    not to the connection, because new connections are cheap.

    Args:
        rate: events per second; 0: no bound.
        now: seconds, monotonic.
    """

    def __init__(self, rate: float, *, now: Callable[[], float]) -> None:
        self._buckets = Buckets(rate, rate * BURST_SECONDS)
        self._now = now

    def charge(self, visitor: Visitor, events: int) -> None:
        """Count a replay that is about to start.

        Raises:
            Refused: `rate_limited`.
        """
        if not events:
            return
        now = self._now()
        bucket = self._buckets.of(visitor.counts_as or visitor.owner, now=now)
        if not bucket.take(events, now=now):
            raise Refused(
                "rate_limited",
                "Too many past events were requested.",
                retry_after_seconds=1 + bucket.wait_seconds(),
            )

    def sweep(self) -> None:
        """Drop the buckets of visitors without recent replays."""
        self._buckets.sweep(now=self._now())
