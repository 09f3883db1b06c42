"""The subscribers of a stream in Redis, and the position of each.

Batches arrive from several sources. They may be late, duplicated, or preceded by a gap; each
subscriber's last seq decides which events are new to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...protocol.events import TERMINAL_TYPES, Event
from ..base import Deliver, OnAside, ignore
from ..subscribers import Subscriber, Subscribers


class PositionedSubscriber(Subscriber):
    """A subscriber; `last` is the newest seq delivered to it."""

    __slots__ = ("last",)

    def __init__(
        self,
        deliver: Deliver,
        on_gone: Callable[[], None],
        after: int,
        on_aside: OnAside = ignore,
    ) -> None:
        super().__init__(deliver, on_gone, on_aside)
        self.last = after


class PositionedSubscribers(Subscribers[PositionedSubscriber]):
    """The subscribers of one stream."""

    __slots__ = ("expected", "has_gap", "has_news", "newest")

    def __init__(self) -> None:
        super().__init__()
        self.expected = 0
        """Number of subscribers about to become members."""
        self.has_news = True
        """Whether a batch arrived since the last check; True for a new subscription."""
        self.has_gap = False
        """Whether a member lacks events before the last offered batch."""
        self.newest = -1
        """The newest seq offered; it may be ahead of the pages read from the log."""

    @property
    def after(self) -> int:
        """The newest seq that every member has. Requires at least one member."""
        return min(member.last for member in self.members)

    def offer(self, batch: Sequence[Event]) -> bool:
        """Deliver to each member the events that are new to it.

        Returns:
            False if the caller must act: no member remains, or `has_gap` is set. A member with a
            gap receives nothing.
        """
        first, last = batch[0].seq, batch[-1].seq
        assert first is not None and last is not None
        self.has_news = True
        self.has_gap = False
        if last > self.newest:
            self.newest = last
        for member in self.members:
            after = member.last
            if first == after + 1:  # the common case, without a copy
                news = batch
            elif last <= after:
                continue
            elif first <= after:
                news = batch[after + 1 - first :]
            else:
                self.has_gap = True
                continue
            member.last = last
            member.deliver(news)
        if batch[-1].type in TERMINAL_TYPES:
            self.members = tuple(member for member in self.members if member.last < last)
        return not self.has_gap and self.members != ()

    def tell_after(self, aside: Event, after: int) -> None:
        """Pass an aside to the members whose last event is the one that it follows."""
        for member in self.members:
            if member.last == after:
                member.on_aside(aside)
