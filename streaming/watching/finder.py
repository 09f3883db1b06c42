"""Finds the feed of a stream: in the hub, from its log, or from its row."""

from __future__ import annotations

import contextlib
from typing import Any

from django.utils import timezone

from ..database import store
from ..database.rows import (
    base_of,
    describe,
    usage_columns_of,
    window_of,
)
from ..database.thread import DatabaseThread
from ..errors import Refused
from ..event_log.base import LogUnavailable, StreamNotFound
from ..models import Stream
from ..protocol.events import Event
from .hub import Feed, Hub


class Finder:
    """Finds feeds, and keeps the polled ones up to date."""

    def __init__(self, *, hub: Hub, db: DatabaseThread) -> None:
        self._hub = hub
        self._db = db

    async def find(self, stream_id: str, owner: str | None) -> Feed:
        """Find the feed of a stream that the owner may see; any stream if `owner` is None.

        Raises:
            Refused: `not_found`, also for another owner's stream; `store_unavailable`.
        """
        feed = self._hub.find(stream_id)
        if feed is not None and feed.window.has_ended and await self._is_deleted(stream_id):
            self._hub.forget(stream_id)
            feed = None
        if feed is None:
            row = await self._db.query(store.find, stream_id)
            if row is None or owner not in (None, row.owner):
                raise Refused("not_found", "Stream not found.")
            feed = await self.of_row(row)
        if owner is None:
            return feed
        if feed.row.owner != owner and not await self._has_joined(feed, owner):
            raise Refused("not_found", "Stream not found.")
        return feed

    async def _has_joined(self, feed: Feed, owner: str) -> bool:
        """Whether a stream has become this owner's since its row was read (database/joining.py)."""
        row = await self._db.query(store.find, feed.stream_id)
        if row is None or row.owner != owner:
            return False
        feed.row.owner, feed.row.user_id = row.owner, row.user_id
        return True

    async def _is_deleted(self, stream_id: str) -> bool:
        """Whether an ended stream was deleted; a deletion in another process sends no signal."""
        try:
            return await self._db.query(store.find, stream_id) is None
        except Refused as refused:
            if refused.code != "store_unavailable":
                raise
            return False

    async def running_of(self, owner: str, session: str | None, *, at_most: int) -> list[Feed]:
        """Find the feeds of the owner's newest running streams.

        For listing, not for watching: if the log is unreachable, detached feeds stand in.

        Args:
            session: limits the result to streams started in this session.

        Raises:
            Refused: `store_unavailable`: the database is unreachable.
        """
        rows = await self._db.query(store.find_running, owner, session, at_most)
        feeds: list[Feed] = []
        for number, row in enumerate(rows):
            try:
                feeds.append(await self.of_row(row))
            except Refused:
                # Use the rows for the rest: each further attempt would wait for its own timeout.
                feeds += [self._hub.find(row.id) or self.detached(row) for row in rows[number:]]
                break
        return [feed for feed in feeds if not feed.window.has_ended]

    async def of_row(self, row: Stream) -> Feed:
        """Find the feed of a stream whose row was just read.

        Raises:
            Refused: `store_unavailable`: the log of an unended stream is unreachable.
        """
        if feed := self._hub.find(row.id):
            return feed
        try:
            return await self._hub.follow(row)
        except StreamNotFound:
            if row.terminal is None:
                return self._hub.add_polled(row, window_of(row))
        except LogUnavailable:
            if row.terminal is None:
                raise Refused("store_unavailable", retry_after_seconds=2) from None
        return self.detached(row)

    async def describe(self, feed: Feed, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """Build the stream document, with current times and usage."""
        if not feed.has_live_row and feed.row.ended_at is None:
            await self._read_again(feed)
        return describe(feed.row, feed.window.state, without=without)

    async def _read_again(self, feed: Feed) -> None:
        try:
            row = await self._db.query(store.find, feed.stream_id)
        except Refused:
            return
        if row is None:
            return
        terminal = feed.window.state.terminal
        if terminal is not None and row.ended_at is None:
            # The log already has the end; the row follows shortly.
            row.ended_at = timezone.now()
            row.ttft_ms = terminal.fields.get("ttft_ms", row.ttft_ms)
            for name, value in usage_columns_of(terminal).items():
                setattr(row, name, value)
        feed.row = row

    def detached(self, row: Stream) -> Feed:
        """Create a detached feed: the row has ended and is complete, or must suffice for now."""
        return self._hub.detached(row, window_of(row))

    async def poll(self) -> None:
        """Poll the rows of the polled feeds, and update these."""
        feeds = self._hub.polled_feeds()
        if not feeds:
            return
        rows = await self._db.run(store.find_many, [feed.stream_id for feed in feeds])
        is_log_there = True
        for feed in feeds:
            row = rows.get(feed.stream_id)
            if row is None:
                self._hub.forget(feed.stream_id)
            elif row.terminal is None:
                if is_log_there:  # otherwise each further call would time out too
                    is_log_there = await self._has_asked_the_log(row)
            else:
                base = base_of(row)
                if base.seq != feed.window.last:  # the end does not follow the last shown event
                    feed.window.replace(base)
                feed.row = row
                feed.window.append(Event.from_dict(row.terminal))
                feed.ring()

    async def _has_asked_the_log(self, row: Stream) -> bool:
        """Subscribe to a stream's log if it has one.

        Returns:
            False if the log is unreachable.
        """
        try:
            with contextlib.suppress(StreamNotFound):
                await self._hub.follow(row)
        except LogUnavailable:
            return False
        return True
