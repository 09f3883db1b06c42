"""How much of what was said before a visitor may have said again."""

from __future__ import annotations

from collections.abc import Callable

from ..access.visitor import Visitor
from ..errors import Refused
from .bucket import Buckets

BURST_SECONDS = 40.0
"""A visitor who has asked for nothing lately may have so many seconds' worth at once: seven long
answers at every reload, several times over."""


class Replays:
    """Bounds the events that are sent again, over all connections of a visitor to one process.

    A resume of a hundred bytes can bring forth a whole answer. Counted for the visitor and not for
    the connection, since a new connection costs little.

    Args:
        rate: events a second; 0: no bound.
        now: seconds, monotonic.
    """

    def __init__(self, rate: float, *, now: Callable[[], float]) -> None:
        self._buckets = Buckets(rate, rate * BURST_SECONDS)
        self._now = now

    def charge(self, visitor: Visitor, events: int) -> None:
        """Count a replay that is about to begin.

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
                "Too much is asked for again.",
                retry_after_seconds=1 + bucket.wait_seconds(),
            )

    def sweep(self) -> None:
        """Forget who has not asked for a while."""
        self._buckets.sweep(now=self._now())
