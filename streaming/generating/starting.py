"""Starts streams: checks the limits, creates log, lease and row, then launches the generation."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from itertools import compress
from typing import Protocol

from channels.layers import BaseChannelLayer
from django.db import DatabaseError, InterfaceError

from blocks.continuation import NOTHING, Earlier
from blocks.runtime.meter import tokens_in
from blocks.spec import BlockSpec

from ..access.owners import UserId, user_group
from ..access.visitor import Visitor
from ..admission.capacity import Capacity
from ..admission.crowd import Asker, Crowd, Taken, asker_of
from ..admission.rates import StartRates
from ..admission.spending import Spent
from ..admission.subjects import keys_of
from ..database import store
from ..database.store import NewStream, PlacesTaken
from ..database.thread import QUERIES_AT_MOST, DatabaseThread
from ..errors import Refused
from ..event_log.base import EventLog, LogUnavailable, StreamNotFound
from ..loop.log_ids import of_stream
from ..loop.tasks import Tasks
from ..loop.uncut import uncut
from ..metrics.counted import count_start
from ..models import Stream
from ..watching.finder import Finder
from ..watching.hub import Feed, Hub
from .continuing import find_earlier
from .generation import Beginning, Stop
from .running import Generations
from .spans import current_carrier, start_span
from .worker_watch import WorkerWatch

logger = logging.getLogger(__name__)

ANNOUNCE_SECONDS = 2.0

INSERTS_AT_ONCE = QUERIES_AT_MOST // 2
"""Starts that insert at the same time; in a burst, the others wait instead of being refused."""


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


class Starter:
    """Starts the streams of one process. Belongs to one event loop.

    Args:
        queue: takes the streams for the workers; None if this process generates.
        workers: knows whether workers are alive; None if this process generates.
        layer: announces streams to the visitor's other sockets; None announces nothing.
        max_events: the number of events that a stream may have.
        drain_seconds: how long a drain lasts, after which a refused client may retry.
    """

    def __init__(
        self,
        *,
        process_id: str,
        log: EventLog,
        hub: Hub,
        finder: Finder,
        generations: Generations,
        db: DatabaseThread,
        queue: TakesStreams | None,
        workers: WorkerWatch | None,
        layer: BaseChannelLayer | None,
        capacity: Capacity,
        rates: StartRates,
        max_events: int,
        drain_seconds: float,
    ) -> None:
        self.is_closed = False
        """Whether starts are refused because the process shuts down."""
        self._process_id = process_id
        self._log = log
        self._hub = hub
        self._finder = finder
        self._generations = generations
        self._db = db
        self._queue = queue
        self._workers = workers
        self._layer = layer
        self._capacity = capacity
        self._rates = rates
        self._max_events = max_events
        self._drain_seconds = drain_seconds
        self._starting = Crowd()
        self._inserts = asyncio.Semaphore(INSERTS_AT_ONCE)
        self._tasks = Tasks()

    async def start(
        self,
        visitor: Visitor,
        new: NewStream,
        spec: BlockSpec,
        *,
        is_streaming: bool,
        origin: str,
    ) -> Started:
        """Start a stream; see `StreamManager.start`."""
        task = self._tasks.start(self._counted(visitor, new, spec, is_streaming, origin))
        return await uncut(task, expected=Refused)

    async def _counted(
        self, visitor: Visitor, new: NewStream, spec: BlockSpec, is_streaming: bool, origin: str
    ) -> Started:
        with start_span(new.block_type, is_queued=self._queue is not None) as span:
            started = await self._start(visitor, new, spec, is_streaming, origin)
            span.set("liveai.stream_id", started.feed.stream_id)
            span.set("liveai.is_new", started.is_new)
        if started.is_new:
            count_start(new.block_type)
        return started

    def announce_joined(self, user_id: UserId, stream_ids: list[str]) -> None:
        """Show streams that have become a user's on the user's sockets, in all processes."""
        if self._layer is not None:
            for stream_id in stream_ids:
                self._tasks.start(
                    self._announce(self._layer, [user_group(user_id)], stream_id, origin="")
                )

    def close(self) -> None:
        """Refuse further starts; repeated ones still attach to their streams."""
        self.is_closed = True

    async def ended(self, timeout_seconds: float) -> None:
        """Wait until the pending starts have ended, or the timeout passes."""
        await self._tasks.ended(timeout_seconds)

    async def aclose(self) -> None:
        """Cancel the pending starts."""
        await self._tasks.aclose()

    async def _start(
        self, visitor: Visitor, new: NewStream, spec: BlockSpec, is_streaming: bool, origin: str
    ) -> Started:
        try:
            return await self._start_new(visitor, new, spec, is_streaming, origin)
        except (Refused, LogUnavailable):
            # A repeated start attaches to its stream, even where a new one would be refused.
            if new.request_id is None:
                raise
            row = await self._db.query(store.find_by_request, new.owner, new.request_id)
            if row is None:
                raise
        return await self._attach(row, new)

    async def _start_new(
        self, visitor: Visitor, new: NewStream, spec: BlockSpec, is_streaming: bool, origin: str
    ) -> Started:
        if self.is_closed:
            raise Refused("shutting_down", retry_after_seconds=self._drain_seconds)
        self._generations.require_starts()
        if self._workers is not None:
            self._workers.require()
        address = keys_of(new.subjects).get("address", "")
        asker = asker_of(new.owner, new.user_id, address)
        before = self._starting.around(asker)
        key = object()
        self._starting.put(key, asker)
        try:
            # Cheapest check first.
            await self._check_capacity(asker, before)
            await self._rates.check(new.subjects)
            earlier = await find_earlier(self._finder, new, spec)
            if new.reserved_tokens and earlier != NOTHING:
                again = tokens_in(earlier.text, *earlier.questions)  # it is sent once more
                new = replace(new, reserved_tokens=new.reserved_tokens + again)
            return await self._create(visitor, new, spec, is_streaming, origin, earlier)
        finally:
            self._starting.drop(key)

    async def _check_capacity(self, asker: Asker, starting: Taken) -> None:
        """Check the capacity of this process, or of the queue if workers generate.

        Args:
            starting: the other starts in progress.

        Raises:
            Refused: `over_capacity`.
        """
        ahead = starting + self._generations.crowd.around(asker)
        if self._queue is not None:
            async with self._inserts:
                ahead += await self._db.query(store.count_waiting, asker)
        self._capacity.check(asker, ahead)

    async def _insert(
        self, stream_id: str, new: NewStream, is_streaming: bool, earlier: Earlier
    ) -> tuple[Stream, bool]:
        """Insert the row within the limits, or find the one with the same `request_id`.

        Raises:
            Refused: `too_many_streams`, and what `store.create` raises.
        """
        ended: set[str] = set()
        while True:
            try:
                return await self._db.query(
                    store.create,
                    stream_id,
                    new,
                    process=self._process_id if self._queue is None else "",
                    mark=self._max_events - 1,
                    is_streaming=is_streaming,
                    earlier=earlier,
                    carrier=current_carrier(),
                    ended=ended,
                )
            except PlacesTaken as taken:
                found = await self._ended_among(taken.full.running) - ended
                if not found:
                    raise taken.full.refusal() from None
                if isinstance(taken.full, Spent):  # what they have used is in their rows then
                    await self._generations.saver.flush()
                ended |= found

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
        earlier: Earlier,
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
            async with self._inserts:
                row, is_new = await self._insert(stream_id, new, is_streaming, earlier)
            if not is_new:
                return await self._attach(row, new)
            try:
                await self._rates.count(new.subjects)
                if row.terminal is not None:  # cancelled before it arrived
                    self._generations.tell_end(row)
                    return Started(self._finder.detached(row), is_new=True)
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
        if self._layer is not None:
            self._tasks.start(self._announce(self._layer, visitor.groups, stream_id, origin))
        return Started(feed, is_new=True)

    async def _attach(self, row: Stream, new: NewStream) -> Started:
        if not new.is_same_input(row):
            raise Refused("request_conflict")
        return Started(await self._finder.of_row(row), is_new=False)

    async def _launch(self, row: Stream, spec: BlockSpec, epoch: int | None) -> Feed:
        feed = await self._hub.follow(row)
        if self._queue is not None:
            await self._queue.put(row.id)
            return feed
        assert epoch is not None, "a new stream's lease is free"
        # Inserting the row may have taken longer than a lease lasts.
        if self._log.appends_synchronously:
            is_held, status = await self._log.renew(row.id, epoch), await self._log.status(row.id)
        else:
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

    async def _announce(
        self, layer: BaseChannelLayer, groups: list[str], stream_id: str, origin: str
    ) -> None:
        message = {"type": "stream.started", "stream_id": stream_id, "origin": origin}
        try:
            async with asyncio.timeout(ANNOUNCE_SECONDS):
                for group in groups:
                    await layer.group_send(group, message)
        except Exception as error:
            # The announcement is optional: other tabs also find the stream in their next `hello`.
            name = type(error).__name__
            with of_stream(stream_id):
                logger.warning(
                    "Stream %s could not be announced to other tabs (%s).", stream_id, name
                )
