"""The stream manager of a process: start, watch, cancel, drain. All transports use it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError

from blocks.spec import BlockSpec

from .access.owners import UserId
from .access.visitor import Visitor
from .database import store
from .database.store import NewStream
from .database.thread import DatabaseThread
from .errors import Refused
from .event_log.base import EventLog, LogUnavailable, StreamNotFound
from .generating.recovery import Recovery
from .generating.running import Generations
from .generating.starting import Started, Starter
from .loop.tasks import Tasks
from .loop.uncut import uncut
from .models import Stream
from .protocol.events import CancelledBy
from .watching.finder import Finder
from .watching.hub import Feed, Hub

logger = logging.getLogger(__name__)

T = TypeVar("T")

CANCEL_WAITS_SECONDS = 5.0
STOPPING_SECONDS = 2.0
"""How long stopped generations may take, after a drain, to write their ends or be saved."""


class StreamManager:
    """Owns the generations of a process, which are independent of connections and viewers.

    All methods run on the process's loop. Work that a disconnecting client must not interrupt, such
    as a cancel half stored, runs as the manager's own task.
    """

    def __init__(
        self,
        *,
        process_id: str,
        log: EventLog,
        hub: Hub,
        finder: Finder,
        generations: Generations,
        recovery: Recovery,
        db: DatabaseThread,
        starter: Starter,
        drain_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._is_leaving = False
        self.finder = finder
        self._process_id = process_id
        self._log = log
        self._hub = hub
        self._generations = generations
        self._recovery = recovery
        self._db = db
        self._starter = starter
        self._drain_seconds = drain_seconds
        self._now = now
        self._tasks = Tasks()

    @property
    def is_draining(self) -> bool:
        """Whether the process shuts down, and thus refuses starts."""
        return self._starter.is_closed

    @property
    def running(self) -> int:
        """Number of streams that this process generates."""
        return len(self._generations)

    # --- start -----------------------------------------------------------------

    async def start(
        self,
        visitor: Visitor,
        new: NewStream,
        spec: BlockSpec,
        *,
        is_streaming: bool,
        origin: str = "",
    ) -> Started:
        """Start a stream, or attach to the one started with the same `request_id`.

        Args:
            is_streaming: if False, the answer arrives in one piece once it is complete.
            origin: the channel of the requesting socket, which ignores the announcement.

        Raises:
            Refused: `request_conflict`, `shutting_down`, `paused`, `over_capacity`,
                `rate_limited`, `too_many_streams`, `store_unavailable`; of a continuation also
                `not_found` and `invalid_input`. A refused start counts nowhere.

        Cancelling stops the wait; the start itself is still carried out.
        """
        return await self._starter.start(
            visitor, new, spec, is_streaming=is_streaming, origin=origin
        )

    # --- watch -----------------------------------------------------------------

    async def watch(self, stream_id: str, owner: str | None) -> Feed:
        """Find the feed of a stream that the owner may see.

        Args:
            owner: the required owner of the stream; None accepts any (the admin's page).

        Raises:
            Refused: `not_found`, also for another owner's stream; `store_unavailable`;
                `shutting_down`: the streams were handed over, so the client must go elsewhere.
        """
        if self._is_leaving:
            raise Refused("shutting_down", retry_after_seconds=1)
        return await self.finder.find(stream_id, owner)

    # --- cancel ----------------------------------------------------------------

    async def cancel(self, stream_id: str, owner: str | None, *, by: CancelledBy) -> Feed:
        """Stop a stream's generation; returns when its terminal event is logged. Idempotent.

        Args:
            owner: the required owner of the stream; None accepts any (the admin's cancel).

        Raises:
            Refused: `not_found`; `store_unavailable`: the cancel intent is stored and will be
                carried out, but the end was not seen within 5 s, or can't be. If the database is
                unreachable as well as the log, nothing is stored.
        """
        return await self.see_end(await self.store_cancel(stream_id, owner, by=by))

    async def store_cancel(self, stream_id: str, owner: str | None, *, by: CancelledBy) -> Feed:
        """Store a cancel intent: the first half of `cancel`. `see_end` is the second half."""
        if owner is None:
            row = await self._db.query(store.find, stream_id)
            if row is None:
                raise Refused("not_found", "Stream not found.")
            owner = row.owner
        try:
            feed = await self.watch(stream_id, owner)
        except Refused as refused:
            if refused.code != "store_unavailable":
                raise
            # The log is unreachable: store the intent in the row.
            await self._own(self._db.query(store.add_intent_to_row, stream_id, owner, by))
            raise _unseen_end() from None
        if not feed.window.has_ended:
            await self._own(self.store_intent(feed.row, by))
        return feed

    async def see_end(self, feed: Feed) -> Feed:
        """Wait for the end of a stream whose cancel intent is stored.

        Returns:
            The same feed.

        Raises:
            Refused: `store_unavailable`: the end was not seen within 5 s.
        """
        try:
            async with asyncio.timeout(CANCEL_WAITS_SECONDS):
                await feed.ended()
        except TimeoutError:
            raise _unseen_end() from None
        return feed

    async def cancel_by_request_id(self, visitor: Visitor, request_id: str) -> Feed | None:
        """Cancel by the `request_id` of a start that may not have arrived yet.

        Returns:
            The ended feed of the stream that the start created; None if there is no such start yet.
            The cancel intent is then kept for a minute. A start that arrives meanwhile ends as
            cancelled without a provider call.

        Raises:
            Refused: as `cancel`; `rate_limited`: the owner has too many such intents.
        """
        feed = await self.store_cancel_by_request_id(visitor, request_id)
        return None if feed is None else await self.see_end(feed)

    async def store_cancel_by_request_id(self, visitor: Visitor, request_id: str) -> Feed | None:
        """Store a cancel intent by `request_id`, without waiting for the end.

        Returns:
            As `cancel_by_request_id`, but the feed may not have ended.
        """
        row = await self._own(self._db.query(store.add_intent, visitor.owner, request_id))
        if row is None:
            return None
        return await self.store_cancel(row.id, visitor.owner, by="owner")

    async def store_intent(self, row: Stream, by: CancelledBy) -> None:
        """Store a cancel intent, which signals the generating process. The end follows later.

        Raises:
            Refused: `store_unavailable`: neither log nor database is reachable.
        """
        try:
            status = await self._log.store_cancel(row.id, by)
        except (StreamNotFound, LogUnavailable):
            self._generations.cancel(row.id, by)
            await self._db.query(store.add_intent_to_row, row.id, row.owner, by)
        else:
            if status.terminal is not None or row.id in self._generations:
                return
            if status.is_held:
                # Its holder may hang: once the lease is over, whoever finds the row ends it.
                await self._db.query(store.add_intent_to_row, row.id, row.owner, by)
            else:
                # No generator is alive to carry it out.
                await self._recovery.take_over(row.id)

    # --- delete, drain ------------------------------------------------------------

    async def delete(self, stream_id: str, owner: str) -> None:
        """Remove an ended stream from history.

        Raises:
            Refused: `not_found`, `still_running`.
        """
        feed = await self.watch(stream_id, owner)
        if not feed.window.has_ended:
            raise Refused("still_running")
        await self._own(self._delete(stream_id))

    async def _delete(self, stream_id: str) -> None:
        if not await self._db.query(store.delete, stream_id):
            # The end may not be in the row yet.
            await self._generations.saver.flush()
            if not await self._db.query(store.delete, stream_id):
                raise Refused("still_running")

    def forget(self, stream_id: str) -> None:
        """Drop the feed and log of a stream whose row was deleted.

        A stream that runs here ends at its next save instead.
        """
        if stream_id not in self._generations:
            self._hub.forget(stream_id)
            self._tasks.start(self._log.forget(stream_id))

    def joined(self, user_id: UserId, stream_ids: list[str]) -> None:
        """Announce running streams that have become a user's to all of the user's sockets."""
        self._starter.announce_joined(user_id, stream_ids)

    async def drain(self) -> None:
        """Refuse starts and let running streams end; after `drain_seconds`, hand over the rest."""
        self._starter.close()
        self._generations.leave_line()  # another process may have places
        until = self._now() + self._drain_seconds
        await asyncio.gather(
            self._starter.ended(self._drain_seconds), self._tasks.ended(self._drain_seconds)
        )
        await self._generations.ended(until - self._now())
        await self.stop()

    async def stop(self) -> None:
        """Save and hand over the running streams at once."""
        self._starter.close()
        self._is_leaving = True
        left = [generation.stream_id for generation in self._generations.all()]
        self._generations.stop()
        await self._generations.ended(STOPPING_SECONDS)
        if left:
            await self._leave(left)

    async def _leave(self, stream_ids: list[str]) -> None:
        try:
            if await self._generations.saver.flush():
                await self._db.run(store.leave, self._process_id, stream_ids)
        except (DatabaseError, InterfaceError) as error:
            # Other processes find the orphans, as after a kill of this process.
            logger.warning("Streams could not be handed over (%s).", type(error).__name__)

    async def aclose(self) -> None:
        """Stop, save and release everything. Don't use the manager afterwards."""
        await self.stop()
        await self._starter.aclose()
        await self._tasks.aclose()
        await self._generations.aclose()

    # --- internals ---------------------------------------------------------------

    async def taken_over(self, stream_id: str) -> None:
        """Handle a takeover: another process presumed this one dead and took a stream over."""
        if not self._log.survives_process:  # the log in this process is no longer valid
            self._hub.turn_polled(stream_id)
            await self._log.forget(stream_id)
        await self.finder.poll()

    async def _own(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out `work` even if the caller is cancelled."""
        return await uncut(self._tasks.start(work), expected=Refused)


def _unseen_end() -> Refused:
    message = "The stream is being stopped, but its end is not confirmed yet."
    return Refused("store_unavailable", message, retry_after_seconds=1)
