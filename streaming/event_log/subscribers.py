"""The subscribers of a stream in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ..protocol.events import Event
from .base import Deliver, OnAside, ignore


class Subscriber:
    """The callbacks of one subscription."""

    __slots__ = ("deliver", "is_gone", "on_aside", "on_gone")

    def __init__(
        self, deliver: Deliver, on_gone: Callable[[], None], on_aside: OnAside = ignore
    ) -> None:
        self.deliver = deliver
        self.on_gone = on_gone
        self.on_aside = on_aside
        self.is_gone = False
        """Whether the log was dropped before the stream's end."""

    def stop(self) -> None:
        """Stop all callbacks, even during a delivery to the other subscribers."""
        self.deliver = self.on_gone = self.on_aside = ignore


S = TypeVar("S", bound=Subscriber)


class Subscribers(Generic[S]):
    """The subscribers of one stream. A callback may add and remove any of them."""

    __slots__ = ("members",)

    def __init__(self) -> None:
        self.members: tuple[S, ...] = ()  # replaced, never mutated: a loop may iterate it

    def add(self, subscriber: S) -> None:
        self.members = (*self.members, subscriber)

    def remove(self, subscriber: S) -> None:
        subscriber.stop()
        self.members = tuple(other for other in self.members if other is not subscriber)

    def tell(self, aside: Event) -> None:
        for member in self.members:
            member.on_aside(aside)

    def gone(self) -> None:
        """Notify and remove all members: the log was dropped before the stream's end."""
        members, self.members = self.members, ()
        for member in members:
            member.is_gone = True
            member.on_gone()
