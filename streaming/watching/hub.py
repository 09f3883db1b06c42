"""The hub of a process: subscribes to each stream once, and shares its frames with all viewers."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ..database.rows import head_of, state_of
from ..errors import Refused
from ..event_log.base import EventLog, OutOfOrder, StreamNotFound
from ..loop.bell import Bell
from ..loop.rounds import ROUND_SECONDS, Rounds
from ..models import Stream
from ..protocol.events import Event
from ..protocol.window import Window


class Feed:
    """One stream as this process knows it: its row, its events and its viewers' bells."""

    __slots__ = (
        "_now", "_rounds", "_soon", "bells", "has_live_row", "is_gone", "row", "unwatched_since",
        "window",
    )  # fmt: skip

    def __init__(
        self,
        row: Stream,
        window: Window,
        *,
        now: Callable[[], float],
        rounds: Rounds,
        soon: Rounds,
    ) -> None:
        self.row = row
        self.has_live_row = False
        """Whether a generation in this process keeps `row` up to date; otherwise it is as read."""
        self.window = window
        self.bells: tuple[Bell, ...] = ()  # in less memory than a set: most have one
        self._now = now
        self._rounds = rounds
        self._soon = soon
        self.unwatched_since = now()
        """When the last viewer detached; meaningful only while there is none."""
        self.is_gone = False
        """Whether the hub has dropped the feed: viewers should reconnect with their cursors."""

    @property
    def stream_id(self) -> str:
        return self.row.id

    def attach(self, bell: Bell) -> None:
        """Ring the bell for new events from now on; the stream counts as watched."""
        if bell not in self.bells:
            self.bells = (*self.bells, bell)
            self.window.is_shared = len(self.bells) > 1

    def detach(self, bell: Bell) -> None:
        bells = self.bells
        with contextlib.suppress(ValueError):  # it has left already
            at = bells.index(bell)
            self.bells = bells[:at] + bells[at + 1 :]
            self.window.is_shared = len(self.bells) > 1
        if not self.bells:
            self.unwatched_since = self._now()

    @contextmanager
    def watched(self, bell: Bell) -> Iterator[None]:
        """Attach the bell for the duration of the context."""
        self.attach(bell)
        try:
            yield
        finally:
            self.detach(bell)

    def take(self, events: Sequence[Event]) -> None:
        """Append the stream's next events, and ring the bells in the next round.

        The first events and the end never wait for a long round.
        """
        window = self.window
        is_first = window.last < 0
        window.extend(events)
        if self.bells:  # a viewer that attaches later reads the window at once
            (self._soon if is_first or window.has_ended else self._rounds).add(self)

    def tell(self, aside: Event) -> None:
        """Show an aside to the viewers that are there."""
        self.window.tell(aside)
        if self.bells:
            self._soon.add(self)

    def ring(self) -> None:
        for bell in self.bells:
            bell.ring()

    async def ended(self) -> None:
        """Wait for the terminal event. Safe to cancel.

        Raises:
            Refused: `not_found`: the hub has dropped the feed.
        """
        if self.window.has_ended:
            return
        bell = Bell()
        with self.watched(bell):
            while not self.window.has_ended:
                if self.is_gone:
                    raise Refused("not_found", "This stream was deleted.")
                await bell.wait()


class Hub:
    """The feeds of a process.

    A subscription to the stream's log keeps a feed up to date. A polled feed has no such
    subscription; `finder.py` updates it from its row.

    Args:
        round_seconds: returns the least interval between two rounds, which follows the load.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        now: Callable[[], float],
        round_seconds: Callable[[], float] = lambda: ROUND_SECONDS,
    ) -> None:
        self._log = log
        self._now = now
        self._rounds = Rounds(round_seconds)
        self._soon = Rounds()
        self._feeds: dict[str, Feed] = {}
        self._unfollow: dict[str, Callable[[], None]] = {}
        self._joining: dict[str, asyncio.Task[Feed]] = {}

    def find(self, stream_id: str) -> Feed | None:
        return self._feeds.get(stream_id)

    async def follow(self, row: Stream) -> Feed:
        """Subscribe to a stream's log, once for all callers.

        Args:
            row: the stream's row, just read.

        Returns:
            The feed, with all events that the log holds.

        Raises:
            StreamNotFound: there is no log, or its events do not join up with the row.
            LogUnavailable
        """
        if self._log.appends_synchronously:  # then joining does not suspend, either
            return await self._join(row)
        joining = self._joining.get(row.id)
        if joining is None:
            joining = asyncio.get_running_loop().create_task(
                self._join(row), context=contextvars.Context()
            )
            self._joining[row.id] = joining
            joining.add_done_callback(lambda _: self._joining.pop(row.id))
        return await asyncio.shield(joining)

    async def _join(self, row: Stream) -> Feed:
        feed = self._feeds.get(row.id)
        if feed is None:
            feed = self._feed(row, Window(head_of(row)))
        elif row.id in self._unfollow:
            return feed
        try:
            unfollow = await self._follow(row.id, feed)
        except OutOfOrder:
            await self._begin_from(row, feed)
            try:
                unfollow = await self._follow(row.id, feed)
            except OutOfOrder:
                raise StreamNotFound(row.id) from None
        if row.terminal is not None and self._log.survives_process and not feed.window.has_ended:
            unfollow()  # Redis restored a state without the end, and no process writes it again
            raise StreamNotFound(row.id)
        self._feeds[row.id] = feed
        self._unfollow[row.id] = unfollow
        return feed

    async def _begin_from(self, row: Stream, feed: Feed) -> None:
        """Rebase the feed on the row: the log begins after the feed's last event, or is a new one.

        Raises:
            StreamNotFound: the row does not join up with the log either.
            LogUnavailable
        """
        log = await self._log.status(row.id)
        if row.terminal is not None or not log.first - 1 <= row.seq <= log.last:
            raise StreamNotFound(row.id)
        feed.window.replace(state_of(row), base=log.first - 1)
        feed.ring()

    def _follow(self, stream_id: str, feed: Feed) -> Awaitable[Callable[[], None]]:
        return self._log.subscribe(
            stream_id,
            feed.take,
            on_gone=lambda: self.turn_polled(stream_id),
            on_aside=feed.tell,
            after=feed.window.last,
        )

    def add_polled(self, row: Stream, window: Window) -> Feed:
        """Add a polled feed of a running stream."""
        return self._feeds.setdefault(row.id, self._feed(row, window))

    def detached(self, row: Stream, window: Window) -> Feed:
        """Create a detached feed, which is neither shared nor updated."""
        return self._feed(row, window)

    def polled_feeds(self) -> list[Feed]:
        """Return the polled feeds that have not ended."""
        return [
            feed
            for stream_id, feed in self._feeds.items()
            if stream_id not in self._unfollow and not feed.window.has_ended
        ]

    def feeds(self) -> Iterable[Feed]:
        return self._feeds.values()

    def turn_polled(self, stream_id: str) -> None:
        """Unsubscribe from a stream's log; its feed becomes a polled one."""
        if unfollow := self._unfollow.pop(stream_id, None):
            unfollow()

    def forget(self, stream_id: str) -> None:
        """Drop a feed, and make its viewers reconnect."""
        self.turn_polled(stream_id)
        if feed := self._feeds.pop(stream_id, None):
            feed.is_gone = True
            feed.ring()

    def sweep(self, *, idle_seconds: float, ended_seconds: float) -> None:
        """Drop feeds without viewers, except those of running generations in this process.

        Args:
            idle_seconds: how long an unended stream must have been without a viewer.
            ended_seconds: the same for an ended stream.
        """
        now = self._now()
        for feed in list(self._feeds.values()):
            has_ended = feed.window.has_ended
            if has_ended:
                feed.window.forget_taken()
            before = now - (ended_seconds if has_ended else idle_seconds)
            is_needed = feed.has_live_row and not has_ended
            if not is_needed and not feed.bells and feed.unwatched_since < before:
                self.forget(feed.stream_id)

    def watched(self, *, within_seconds: float) -> list[str]:
        """Ids of the unended streams that have or had viewers here.

        Args:
            within_seconds: how long ago the last viewer may have left. Viewers come and go: the
                tabs of a browser take turns on few connections.
        """
        since = self._now() - within_seconds
        return [
            stream_id
            for stream_id, feed in self._feeds.items()
            if (feed.bells or feed.unwatched_since > since) and not feed.window.has_ended
        ]

    def _feed(self, row: Stream, window: Window) -> Feed:
        return Feed(row, window, now=self._now, rounds=self._rounds, soon=self._soon)

    def close(self) -> None:
        for joining in self._joining.values():
            joining.cancel()
        for stream_id in list(self._feeds):
            self.turn_polled(stream_id)
        self._feeds.clear()
