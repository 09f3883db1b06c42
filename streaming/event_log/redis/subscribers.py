"""Who follows a stream in this process, and how far each has come.

News may come from several sides, late, twice, or with something missing before it: a number decides
what of it is new to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...protocol.events import TERMINAL_TYPES, Event
from ..base import Deliver


class Subscriber:
    """One who follows; `last` is the newest seq that it was given."""

    __slots__ = ("deliver", "is_gone", "last", "on_gone")

    def __init__(self, deliver: Deliver, on_gone: Callable[[], None], after: int) -> None:
        self.deliver = deliver
        self.on_gone = on_gone
        self.last = after
        self.is_gone = False
        """Its log was dropped before its end."""

    def stop(self) -> None:
        """Nothing is called from now on, also if the others are just being told."""
        self.deliver = self.on_gone = _ignore


class Subscribers:
    """The followers of one stream."""

    __slots__ = ("expected", "has_gap", "has_news", "members", "newest")

    def __init__(self) -> None:
        self.expected = 0
        """How many are about to become members."""
        self.members: tuple[Subscriber, ...] = ()  # replaced, never changed: it may be walked
        self.has_news = True
        """Since somebody last looked; who comes new has it."""
        self.has_gap = False
        """Before what was offered last."""
        self.newest = -1
        """The newest seq that there was news of: it may overtake what is read from the log."""

    @property
    def after(self) -> int:
        """The seq that all of them have. There must be one."""
        return min(member.last for member in self.members)

    def add(self, subscriber: Subscriber) -> None:
        self.members = (*self.members, subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        subscriber.stop()
        self.members = tuple(other for other in self.members if other is not subscriber)

    def offer(self, batch: Sequence[Event]) -> bool:
        """Give each what is new to it.

        Returns:
            Whether they go on as they are. Else somebody lacks something before it and was given
            nothing, `has_gap`, or nobody is left.
        """
        first, last = batch[0].seq, batch[-1].seq
        assert first is not None and last is not None
        self.has_news = True
        self.has_gap = False
        if last > self.newest:
            self.newest = last
        for member in self.members:
            after = member.last
            if first == after + 1:  # nearly always; the batch need not be copied
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

    def gone(self) -> None:
        """The log was dropped before its end: tell them, and forget them."""
        members, self.members = self.members, ()
        for member in members:
            member.is_gone = True
            member.on_gone()


def _ignore(*_: object) -> None:
    pass
