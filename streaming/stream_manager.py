"""The stream manager of a process: start, watch, cancel, drain. The one door for all transports."""

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
"""How long stopped generations may take to write their ends at the end of a drain."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds of one process's streams."""

    max_events: int
    drain_seconds: float


class TakesStreams(Protocol):
    """What hands streams to workers."""

    async def put(self, stream_id: str) -> None:
        """
        Raises:
            LogUnavailable
        """
        ...


@dataclass(frozen=True, slots=True)
class Started:
    feed: Feed
    is_new: bool  # False: an earlier start with the same request_id made it


class StreamManager:
    """Generations belong to it and to no connection: viewers come and go.

    All methods are coroutines of the process's loop. What must not be cut short by a client that
    goes away (a start half done, a cancel half stored) runs as a task of the manager's own.
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
        """How many streams this process generates."""
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
        """Start a stream, or attach to the one that the same `request_id` started.

        Args:
            is_streaming: False: the answer comes in one piece, when it is whole.
            origin: the channel of the socket that asks; the announcement tells it apart.

        Raises:
            Refused: `request_conflict`, `shutting_down`, `over_capacity`, `rate_limited`,
                `too_many_streams`, `store_unavailable`. A refused start counts nowhere.

        A caller that is cancelled stops waiting; the start itself is carried out.
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
            # What costs least comes first.
            await self._check_capacity(is_anonymous=is_anonymous)
            await self._rates.check(new.place)
            ended = await self._check_places(new)
            return await self._create(visitor, new, spec, is_streaming, origin, ended)
        finally:
            self._starting -= 1
            self._starting_anonymous -= is_anonymous

    async def _check_capacity(self, *, is_anonymous: bool) -> None:
        """Of the places here; where workers generate, of those to wait for one.

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
        """Refuse a start that has no place before it costs anything; its insert counts again.

        Returns:
            Ids of streams that were found to have ended though their rows do not know it yet.

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
        """A row learns of its stream's end up to a second later; whoever has seen it may start the
        next stream at once."""
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
        # The log and its lease first: whoever finds the row finds its log and its generator, and
        # with the log away nothing is left behind.
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
                if row.terminal is not None:  # cancelled before it came
                    return Started(self.finder.detached(row), is_new=True)
                feed = await self._launch(row, spec, epoch)
            except BaseException:
                # Nobody waits for it: it must not be taken for one that was left.
                with contextlib.suppress(DatabaseError, InterfaceError):
                    await self._db.run(store.discard, stream_id)
                raise
            is_launched = True
        finally:
            self._generations.starting.discard(stream_id)
            if not is_launched:  # nobody waits for that, least of all for a log that is away
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
        # The row may have taken longer than a lease.
        is_held, status = await asyncio.gather(
            self._log.renew(row.id, epoch), self._log.status(row.id)
        )
        if is_held:
            intent = status.cancel_intent
            stop = Stop("cancelled", by=intent) if intent is not None else None
            self._generations.begin(row, spec, epoch, Beginning(), stop=stop)
        else:  # another process has taken it up, or finds that nobody did
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
            # The announcement is a courtesy to other tabs: they also learn of it by `hello`.
            name = type(error).__name__
            logger.warning("Other tabs could not be told of stream %s (%s).", stream_id, name)

    # --- watch -----------------------------------------------------------------

    async def watch(self, stream_id: str, owner: str) -> Feed:
        """The feed of a stream that the owner may see.

        Raises:
            Refused: `not_found`, also for somebody else's; `store_unavailable`; `shutting_down`:
                what ran here is left to others, so watch it there.
        """
        if self._is_leaving:
            raise Refused("shutting_down", retry_after_seconds=1)
        return await self.finder.find(stream_id, owner)

    # --- cancel ----------------------------------------------------------------

    async def cancel(self, stream_id: str, owner: str | None, *, by: CancelledBy) -> Feed:
        """Stop a stream's generation; returns when its terminal event is logged. Idempotent.

        Args:
            owner: whose it must be; None: anybody's (the admin's cancel).

        Raises:
            Refused: `not_found`; `store_unavailable`: the wish is stored and will be carried out,
                but its end was not seen within 5 s, or can't be; only with the database away, too,
                nothing is stored.
        """
        return await self.see_end(await self.store_cancel(stream_id, owner, by=by))

    async def store_cancel(self, stream_id: str, owner: str | None, *, by: CancelledBy) -> Feed:
        """The first half of `cancel`: returns when the wish is stored. `see_end` is the other."""
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
            # Its row is known, but not its log: the wish need not wait for that.
            await self._own(self._db.query(store.add_intent_to_row, stream_id, owner, by))
            raise _unseen_end() from None
        if not feed.window.has_ended:
            await self._own(self.store_intent(feed.row, by))
        return feed

    async def see_end(self, feed: Feed) -> Feed:
        """Wait for the end of a stream whose cancel is stored; the same feed.

        Raises:
            Refused: `store_unavailable`: it was not seen within 5 s.
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
            The feed of the stream it started, ended; None: nothing known yet. The wish is then
            remembered for a minute, and such a start ends as cancelled without a provider call.

        Raises:
            Refused: as `cancel`; `rate_limited`: the owner has too many such wishes.
        """
        feed = await self.store_cancel_by_request_id(visitor, request_id)
        return None if feed is None else await self.see_end(feed)

    async def store_cancel_by_request_id(self, visitor: Visitor, request_id: str) -> Feed | None:
        """The first half of `cancel_request`, as `ask_cancel` is of `cancel`."""
        row = await self._own(self._db.query(store.add_intent, visitor.owner, request_id))
        if row is None:
            return None
        return await self.store_cancel(row.id, visitor.owner, by="owner")

    async def store_intent(self, row: Stream, by: CancelledBy) -> None:
        """Store the wish; storing it signals it to the process that generates. Its end comes later.

        Raises:
            Refused: `store_unavailable`: neither log nor database can be reached.
        """
        try:
            status = await self._log.store_cancel(row.id, by)
        except (StreamNotFound, LogUnavailable):
            self._generations.cancel(row.id, by)
            await self._db.query(store.add_intent_to_row, row.id, row.owner, by)
        else:
            if not status.is_held and status.terminal is None:
                # Nobody is there to carry it out.
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
            # Its end is on the way to its row.
            await self._generations.saver.flush()
            if not await self._db.query(store.delete, stream_id):
                raise Refused("still_running")

    def forget(self, stream_id: str) -> None:
        """Let go of an ended stream whose row is gone. One that runs ends when it is saved."""
        if stream_id not in self._generations:
            self._hub.forget(stream_id)
            self._tasks.start(self._log.forget(stream_id))

    async def drain(self) -> None:
        """Refuse starts, and let what runs come to its end; what takes longer than
        `drain_seconds` is left to the next process that notices."""
        self.is_draining = True
        until = self._now() + self._limits.drain_seconds
        await self._tasks.ended(self._limits.drain_seconds)
        await self._generations.ended(until - self._now())
        await self.stop()

    async def stop(self) -> None:
        """Leave what runs, now, saved to its last word."""
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
            # They are found by others, as if this process had been killed.
            logger.warning("Streams could not be left in order (%s).", type(error).__name__)

    async def aclose(self) -> None:
        """Stop what runs, save. The manager is not to be used afterwards."""
        await self.stop()
        await self._tasks.aclose()
        await self._generations.aclose()

    # --- inside ------------------------------------------------------------------

    async def taken(self, stream_id: str) -> None:
        """Another process has taken a stream over from this one, which it presumed dead."""
        if not self._log.survives_process:  # what is here is not the truth any more
            self._hub.turn_polled(stream_id)
            await self._log.forget(stream_id)
        await self.finder.poll()

    async def _own(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry `work` out whatever becomes of the caller."""
        return await uncut(self._tasks.start(work), expected=Refused)


def _unseen_end() -> Refused:
    message = "The stream is being stopped; its end has not been seen yet."
    return Refused("store_unavailable", message, retry_after_seconds=1)
