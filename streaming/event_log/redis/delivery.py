"""The streams that a process subscribes to: published batches, with gaps filled from the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from ...loop.tasks import Tasks
from ...protocol.events import Event
from ..base import LogUnavailable, OutOfOrder, StreamNotFound
from .batches import decode_aside, decode_batch, is_aside
from .positions import PositionedSubscriber, PositionedSubscribers
from .pubsub import PubSub

CHECK_SECONDS = 2.0
"""Interval of the check that reads another process's stream from the log if it was silent.

Redis may lose a message without losing the connection."""


class Page(NamedTuple):
    first: int  # seq of the log's first event
    last: int  # seq of its newest event
    has_ended: bool
    batches: list[list[Event]]  # those after the requested position; truncated if there are many

    @property
    def is_last(self) -> bool:
        """Whether no page follows it."""
        return not self.batches or self.batches[-1][-1].seq == self.last


ReadPage = Callable[[str, int], Awaitable[Page]]


class Delivery:
    """Belongs to one event loop.

    Args:
        is_fed: whether this process writes the stream, so that its batches come through `feed` and
            not from Redis.
        read_page: reads the log after a position; raises StreamNotFound, LogUnavailable.
        channel_of: returns the channel on which other processes publish a stream's batches.
    """

    def __init__(
        self,
        subscriptions: PubSub,
        *,
        read_page: ReadPage,
        is_fed: Callable[[str], bool],
        channel_of: Callable[[str], bytes],
    ) -> None:
        self._pubsub = subscriptions
        self._read_page = read_page
        self._is_fed = is_fed
        self._channel_of = channel_of
        self._subscribed_to: dict[str, PositionedSubscribers] = {}
        self._repairing: set[str] = set()
        self._again: set[str] = set()  # repair these once more
        self._tasks = Tasks()

    def begin(self) -> None:
        self._tasks.start(self._check())

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def subscribe(
        self, stream_id: str, subscriber: PositionedSubscriber
    ) -> Callable[[], None]:
        """Implement `EventLog.subscribe`."""
        subscribers = self._subscribed_to.get(stream_id)
        if subscribers is None:
            subscribers = self._subscribed_to[stream_id] = PositionedSubscribers()
        subscribers.expected += 1
        try:
            # Subscribe before reading, so that no batch is missed in between.
            if not self._is_fed(stream_id):
                await self._listen_to(stream_id)
            await self._bring_up(stream_id, subscribers, subscriber)
        except BaseException:
            subscribers.remove(subscriber)  # partly caught up; a retry uses a new one
            raise
        finally:
            subscribers.expected -= 1
            self._let_go(stream_id, subscribers)

        def stop() -> None:
            subscribers.remove(subscriber)
            self._let_go(stream_id, subscribers)

        return stop

    async def _bring_up(
        self, stream_id: str, subscribers: PositionedSubscribers, subscriber: PositionedSubscriber
    ) -> None:
        page = await self._read_page(stream_id, subscriber.last)
        if not page.first - 1 <= subscriber.last <= page.last:
            raise OutOfOrder(f"{subscriber.last} is not within the log")
        if page.has_ended and subscriber.last == page.last:
            return
        subscribers.add(subscriber)
        self._take_in(stream_id, subscribers, page)
        while not page.is_last and subscriber in subscribers.members:
            page = await self._read_page(stream_id, subscriber.last)
            self._take_in(stream_id, subscribers, page)
        if subscriber.is_gone:  # the last page may belong to a newer log of the same stream
            raise StreamNotFound(stream_id)
        if subscriber.last < subscribers.newest:
            self._repair(stream_id)  # a published batch was ahead of the page

    # --- batches --------------------------------------------------------------

    def _on_message(self, stream_id: str, data: bytes) -> None:
        """Handle a published message: a batch, an aside, or nothing if the log was dropped."""
        if subscribers := self._subscribed_to.get(stream_id):
            if is_aside(data):
                subscribers.tell_after(*decode_aside(stream_id, data))
            elif data:
                if not subscribers.offer(decode_batch(stream_id, data)):
                    self._settle(stream_id, subscribers)
            else:
                self.drop(stream_id)

    def feed(self, stream_id: str, batch: Sequence[Event]) -> None:
        """Deliver a batch that this process has appended to the log."""
        if (subscribers := self._subscribed_to.get(stream_id)) and not subscribers.offer(batch):
            self._settle(stream_id, subscribers)

    def tell(self, stream_id: str, aside: Event, after: int) -> None:
        """Deliver an aside of a stream that this process writes."""
        if subscribers := self._subscribed_to.get(stream_id):
            subscribers.tell_after(aside, after)

    def fed_here(self, stream_id: str) -> None:
        """Switch to `feed` as the source of the stream's batches."""
        self._stop_listening_to(stream_id)
        if stream_id in self._subscribed_to:
            self._repair(stream_id)  # earlier batches may have been in flight

    def fed_elsewhere(self, stream_id: str) -> None:
        """Switch to another process as the source of the stream's batches."""
        if stream_id in self._subscribed_to:
            self._tasks.start(self._change_over(stream_id))

    def drop(self, stream_id: str) -> None:
        """Notify and remove the subscribers of a dropped log."""
        if subscribers := self._subscribed_to.get(stream_id):
            subscribers.gone()
            self._let_go(stream_id, subscribers)

    def _take_in(self, stream_id: str, subscribers: PositionedSubscribers, page: Page) -> None:
        for batch in page.batches:
            if not subscribers.offer(batch):
                self._settle(stream_id, subscribers)

    def _settle(self, stream_id: str, subscribers: PositionedSubscribers) -> None:
        if subscribers.has_gap:
            self._repair(stream_id)
        if not subscribers.members:
            self._let_go(stream_id, subscribers)

    def _repair(self, stream_id: str) -> None:
        """Schedule reading the missing events from the log."""
        if stream_id in self._repairing:
            self._again.add(stream_id)
        else:
            self._repairing.add(stream_id)
            self._tasks.start(self._read_missing(stream_id))

    async def _read_missing(self, stream_id: str) -> None:
        try:
            while (subscribers := self._subscribed_to.get(stream_id)) and subscribers.members:
                self._again.discard(stream_id)
                after = subscribers.after
                try:
                    page = await self._read_page(stream_id, after)
                except StreamNotFound:
                    return self.drop(stream_id)
                except LogUnavailable:
                    subscribers.has_news = False  # the next check or the next batch retries
                    return
                if not page.first - 1 <= after <= page.last:
                    return self.drop(stream_id)  # another log of the same stream
                self._take_in(stream_id, subscribers, page)
                if page.is_last and stream_id not in self._again:
                    return
        finally:
            self._repairing.discard(stream_id)

    def catch_up(self) -> None:
        """Repair every stream of another process, because batches may have been missed."""
        for stream_id in list(self._subscribed_to):
            if not self._is_fed(stream_id):
                self._repair(stream_id)

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for stream_id, subscribers in list(self._subscribed_to.items()):
                if not self._is_fed(stream_id) and not subscribers.has_news:
                    self._repair(stream_id)
                subscribers.has_news = False

    # --- subscriptions ----------------------------------------------------------

    async def _listen_to(self, stream_id: str) -> None:
        await self._pubsub.want(self._channel_of(stream_id), partial(self._on_message, stream_id))

    def _stop_listening_to(self, stream_id: str) -> None:
        self._pubsub.drop(self._channel_of(stream_id))

    async def _change_over(self, stream_id: str) -> None:
        with contextlib.suppress(LogUnavailable):  # stays wanted; `catch_up` runs after a reconnect
            await self._listen_to(stream_id)
        self._repair(stream_id)

    def _let_go(self, stream_id: str, subscribers: PositionedSubscribers) -> None:
        """Unsubscribe from a stream that has no subscribers."""
        if subscribers.members or subscribers.expected:
            return
        if self._subscribed_to.get(stream_id) is subscribers:
            del self._subscribed_to[stream_id]
            self._stop_listening_to(stream_id)
