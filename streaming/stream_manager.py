"""The stream manager of a process: start, watch, cancel, drain. All transports use it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import compress
from typing import Any, Protocol, TypeVar

from channels.layers import BaseChannelLayer
from django.db import DatabaseError, InterfaceError

from blocks.spec import BlockSpec

from .access.visitor import Visitor
from .admission.rates import StartRates
from .database import store
from .database.store import NewStream
from .database.thread import DatabaseThread
from .errors import Refused
from .event_log.base import EventLog, LogUnavailable, StreamNotFound
from .generating.generation import Beginning, Stop
from .generating.recovery import Recovery
from .generating.running import Generations
from .generating.worker_watch import WorkerWatch
from .limits import NO_PLACE_LIMITS, Capacity, PlaceLimits
from .loop.tasks import Tasks
from .loop.uncut import uncut
from .models import Stream
from .protocol.events import CancelledBy
from .watching.finder import Finder
from .watching.hub import Feed, Hub

logger = logging.getLogger(__name__)

T = TypeVar("T")

CANCEL_WAITS_SECONDS = 5.0
ANNOUNCE_SECONDS = 2.0
STOPPING_SECONDS = 2.0
"""How long stopped generations may take, after a drain, to write their ends or be saved."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Limits for one process's streams."""

    max_events: int
    drain_seconds: float


class TakesStreams(Protocol):
    """A queue that takes streams for workers."""

    async def put(self, stream_id: str) -> None:
        """Enqueue a stream.

        Raises:
            LogUnavailable
        """
        ...


@dataclass(frozen=True, slots=True)
class Started:
    feed: Feed
    is_new: bool  # False: an earlier start with the same request_id created it


class StreamManager:
    """Owns the generations of a process, which are independent of connections and viewers.

    All methods run on the process's loop. Work that a disconnecting client must not interrupt (a
    start half done, a cancel half stored) runs as the manager's own task.
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
        queue: TakesStreams | None,
        workers: WorkerWatch | None,
        layer: BaseChannelLayer | None,
        capacity: Capacity,
        places: PlaceLimits,
        rates: StartRates,
        limits: StreamLimits,
        now: Callable[[], float],
    ) -> None:
        self.is_draining = False
        self._is_leaving = False
        self.finder = finder
        self._process_id = process_id
        self._log = log
        self._hub = hub
        self._generations = generations
        self._recovery = recovery
        self._db = db
        self._queue = queue
        self._workers = workers
        self._layer = layer
        self._capacity = capacity
        self._places = places
        self._rates = rates
        self._limits = limits
        self._now = now
        self._starting = self._starting_anonymous = 0
        self._tasks = Tasks()

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
            Refused: `request_conflict`, `shutting_down`, `over_capacity`, `rate_limited`,
                `too_many_streams`, `store_unavailable`. A refused start counts nowhere.

        Cancelling stops the wait; the start itself is still carried out.
        """
        return await self._own(self._start(visitor, new, spec, is_streaming, origin))

    async def _start(
        self, visitor: Visitor, new: NewStream, spec: BlockSpec, is_streaming: bool, origin: str
    ) -> Started:
        if new.request_id is not None:
            row = await self._db.query(store.find_by_request, new.owner, new.request_id)
            if row is not None:
                return await self._attach(row, new)
        if self.is_draining:
            raise Refused("shutting_down", retry_after_seconds=self._limits.drain_seconds)
        if self._workers is not None:
            self._workers.require()
        is_anonymous = new.user_id is None
        self._starting += 1
        self._starting_anonymous += is_anonymous
        try:
            # Cheapest check first.
            await self._check_capacity(is_anonymous=is_anonymous)
            await self._rates.check(new.place)
            ended = await self._check_places(new)
            return await self._create(visitor, new, spec, is_streaming, origin, ended)
        finally:
            self._starting -= 1
            self._starting_anonymous -= is_anonymous

    async def _check_capacity(self, *, is_anonymous: bool) -> None:
        """Check the capacity of this process, or of the queue if workers generate.

        Raises:
            Refused: `over_capacity`.
        """
        ahead = len(self._generations) + self._starting - 1
        anonymous = self._generations.anonymous + self._starting_anonymous - is_anonymous
        if self._queue is not None:
            waiting, waiting_anonymous = await self._db.query(store.count_waiting)
            ahead, anonymous = ahead + waiting, anonymous + waiting_anonymous
        self._capacity.check(ahead=ahead, anonymous_ahead=anonymous, is_anonymous=is_anonymous)

    async def _check_places(self, new: NewStream) -> set[str]:
        """Refuse a start without a free place before it costs anything; the insert counts again.

        Returns:
            Ids of streams found to have ended although their rows do not have the end yet.

        Raises:
            Refused: `too_many_streams`.
        """
        ended: set[str] = set()
        if self._places == NO_PLACE_LIMITS:
            return ended
        while full := await self._db.query(store.find_full, new, self._places, without=ended):
            found = await self._ended_among(full.running)
            if not found:
                raise full.refusal()
            ended |= found
        return ended

    async def _ended_among(self, stream_ids: list[str]) -> set[str]:
        """Find the streams that have ended although their rows do not have the end yet.

        A row gets its stream's end up to a second later; a visitor who has seen the end may start
        the next stream at once.
        """
        ended, elsewhere = set(), []
        for stream_id in stream_ids:
            feed, generation = self._hub.find(stream_id), self._generations.find(stream_id)
            if feed is not None and feed.window.has_ended:
                ended.add(stream_id)
            elif generation is not None:
                if generation.is_ending:
                    ended.add(stream_id)
            else:
                elsewhere.append(stream_id)
        has_ended = await asyncio.gather(*map(self._has_end_in_log, elsewhere))
        return ended.union(compress(elsewhere, has_ended))

    async def _has_end_in_log(self, stream_id: str) -> bool:
        try:
            return (await self._log.status(stream_id)).terminal is not None
        except (StreamNotFound, LogUnavailable):
            return False

    async def _create(
        self,
        visitor: Visitor,
        new: NewStream,
        spec: BlockSpec,
        is_streaming: bool,
        origin: str,
        ended: set[str],
    ) -> Started:
        stream_id = store.new_stream_id()
        # Log and lease (if this process generates) come before the row, so a reader of the row
        # finds both. If the log is unreachable, no row is created.
        if self._queue is None:
            self._generations.starting.add(stream_id)
        is_launched = False
        try:
            await self._log.open(stream_id)
            epoch = await self._log.acquire(stream_id) if self._queue is None else None
            row, is_new = await self._db.query(
                store.create,
                stream_id,
                new,
                process=self._process_id if self._queue is None else "",
                mark=self._limits.max_events - 1,
                is_streaming=is_streaming,
                limits=self._places,
                ended=ended,
            )
            if not is_new:
                return await self._attach(row, new)
            try:
                await self._rates.count(new.place)
                if row.terminal is not None:  # cancelled before it arrived
                    return Started(self.finder.detached(row), is_new=True)
                feed = await self._launch(row, spec, epoch)
            except BaseException:
                # The start failed: recovery must not mistake the row for an orphan.
                with contextlib.suppress(DatabaseError, InterfaceError):
                    await self._db.run(store.discard, stream_id)
                raise
            is_launched = True
        finally:
            self._generations.starting.discard(stream_id)
            if not is_launched:  # in the background: an unreachable log must not delay the caller
                self._tasks.start(self._log.forget(stream_id))
        self._tasks.start(self._announce(visitor, stream_id, origin))
        return Started(feed, is_new=True)

    async def _attach(self, row: Stream, new: NewStream) -> Started:
        if not new.is_same_input(row):
            raise Refused("request_conflict")
        return Started(await self.finder.of_row(row), is_new=False)

    async def _launch(self, row: Stream, spec: BlockSpec, epoch: int | None) -> Feed:
        feed = await self._hub.follow(row)
        if self._queue is not None:
            await self._queue.put(row.id)
            return feed
        assert epoch is not None, "a new stream's lease is free"
        # Inserting the row may have taken longer than a lease lasts.
        is_held, status = await asyncio.gather(
            self._log.renew(row.id, epoch), self._log.status(row.id)
        )
        if is_held:
            intent = status.cancel_intent
            stop = Stop("cancelled", by=intent) if intent is not None else None
            self._generations.begin(row, spec, epoch, Beginning(), stop=stop)
        else:  # another process has taken it over, or its next scan will
            await self._log.release(row.id, epoch)
        return feed

    async def _announce(self, visitor: Visitor, stream_id: str, origin: str) -> None:
        if self._layer is None:
            return
        message = {"type": "stream.started", "stream_id": stream_id, "origin": origin}
        try:
            async with asyncio.timeout(ANNOUNCE_SECONDS):
                for group in visitor.groups:
                    await self._layer.group_send(group, message)
        except Exception as error:
            # The announcement is optional: other tabs also find the stream in their next `hello`.
            name = type(error).__name__
            logger.warning("Stream %s could not be announced to other tabs (%s).", stream_id, name)

    # --- watch -----------------------------------------------------------------

    async def watch(self, stream_id: str, owner: str) -> Feed:
        """Find the feed of a stream that the owner may see.

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
                raise Refused("not_found", "There is no such stream.")
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
            As `cancel_request`, but the feed may not have ended.
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
            if not status.is_held and status.terminal is None:
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

    async def drain(self) -> None:
        """Refuse starts and let running streams end; after `drain_seconds`, hand over the rest."""
        self.is_draining = True
        until = self._now() + self._limits.drain_seconds
        await self._tasks.ended(self._limits.drain_seconds)
        await self._generations.ended(until - self._now())
        await self.stop()

    async def stop(self) -> None:
        """Save and hand over the running streams at once."""
        self.is_draining = self._is_leaving = True
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
    message = "The stream is being stopped; its end has not been seen yet."
    return Refused("store_unavailable", message, retry_after_seconds=1)
