"""The hub of a process: one reader per stream, its frames shared by all who watch it here."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from .bell import Bell
from .connection import Connection
from .event_log.base import EventLog, LogError
from .models import Stream
from .protocol.window import Window
from .rows import head_of

logger = logging.getLogger(__name__)


class Feed:
    """One stream as this process knows it: its row, its events, and who waits for more."""

    def __init__(self, row: Stream, window: Window, now: Callable[[], float]) -> None:
        self.row = row
        self.window = window
        self.bells: set[Bell] = set()
        self._now = now
        self.alone_since = now()
        """When the last viewer left; meaningful while there is none."""
        self.is_gone = False
        """Nobody keeps it up any more: its viewers should come back from their cursors."""

    @property
    def stream_id(self) -> str:
        return self.row.id

    def attach(self, bell: Bell) -> None:
        """From now on the bell rings for news; the stream is not alone."""
        self.bells.add(bell)

    def detach(self, bell: Bell) -> None:
        self.bells.discard(bell)
        if not self.bells:
            self.alone_since = self._now()

    @contextmanager
    def watched(self, bell: Bell) -> Iterator[None]:
        """Attached while this holds."""
        self.attach(bell)
        try:
            yield
        finally:
            self.detach(bell)

    def ring(self) -> None:
        for bell in self.bells:
            bell.ring()

    async def reached(self, seq: int) -> None:
        """Wait until the window has come so far. Safe to cancel."""
        await self._until(lambda: self.window.last >= seq)

    async def ended(self) -> None:
        """Wait for the terminal event. Safe to cancel."""
        await self._until(lambda: self.window.has_ended)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        if is_so():
            return
        bell = Bell()
        with self.watched(bell):
            while not is_so():
                await bell.wait()


class Hub:
    """The feeds of a process, and the connections that watch them.

    A feed of a stream whose log is at hand is kept up by a reader task. Others (`lone` ones, known
    from the row alone) are kept up by whoever polls the rows.
    """

    def __init__(self, log: EventLog, *, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._feeds: dict[str, Feed] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self.connections: set[Connection] = set()

    def find(self, stream_id: str) -> Feed | None:
        return self._feeds.get(stream_id)

    async def follow(self, row: Stream) -> Feed:
        """The feed of a stream whose log is at hand; when it is new, its reader is started and
        what is in the log already is read before this returns.

        Raises:
            StreamNotFound: the log does not have it.
        """
        status = await self._log.status(row.id)
        feed = self._feeds.get(row.id)
        if feed is None:
            feed = self._feeds[row.id] = Feed(row, Window(head_of(row)), self._now)
            # A context of its own: in a request's, asgiref would send work to its thread.
            self._readers[row.id] = asyncio.get_running_loop().create_task(
                self._read(feed), context=contextvars.Context()
            )
        await feed.reached(status.last)
        return feed

    def add_lone(self, row: Stream, window: Window) -> Feed:
        """The feed of a running stream that is known from its row alone."""
        return self._feeds.setdefault(row.id, Feed(row, window, self._now))

    def lone_feeds(self) -> list[Feed]:
        """Those that somebody has to keep up: no reader does."""
        return [
            feed
            for stream_id, feed in self._feeds.items()
            if stream_id not in self._readers and not feed.window.has_ended
        ]

    def feeds(self) -> Iterable[Feed]:
        return self._feeds.values()

    async def _read(self, feed: Feed) -> None:
        window = feed.window
        try:
            async for batch in self._log.read(feed.stream_id, after=window.last):
                for event in batch:
                    window.append(event)
                feed.ring()
        except LogError:
            logger.warning("The log of stream %s is gone while it was watched.", feed.stream_id)
            self.forget(feed.stream_id)

    def turn_lone(self, stream_id: str) -> None:
        """Stop reading a stream's log: from now on its feed is kept up from the row."""
        if reader := self._readers.pop(stream_id, None):
            reader.cancel()

    def forget(self, stream_id: str) -> None:
        """Let go of a feed; whoever still watches it is told to come back."""
        self.turn_lone(stream_id)
        if feed := self._feeds.pop(stream_id, None):
            feed.is_gone = True
            feed.ring()

    def sweep(self, *, idle_seconds: float) -> None:
        """Let go of ended streams that nobody has watched for a while; the log still has them."""
        before = self._now() - idle_seconds
        for feed in list(self._feeds.values()):
            if feed.window.has_ended and not feed.bells and feed.alone_since < before:
                self.forget(feed.stream_id)

    async def aclose(self) -> None:
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        self._feeds.clear()
        self._readers.clear()
