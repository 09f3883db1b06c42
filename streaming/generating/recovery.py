"""Streams that nobody generates any more are found, and taken up where they were left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from blocks.models import BlockType
from blocks.providers.registry import ProviderPool
from blocks.runtime import engine
from blocks.spec import BlockSpec

from ..database import store
from ..database.rows import state_of
from ..database.thread import DatabaseThread
from ..event_log.base import (
    EventLog,
    LogEnded,
    LogUnavailable,
    StreamNotFound,
)
from ..models import Stream
from ..protocol.events import Event
from ..protocol.state import StreamState
from ..watching.hub import Hub
from .generation import Beginning, Stop
from .running import Generations

logger = logging.getLogger(__name__)

RECOVERIES_AT_MOST = 3
AT_ONCE = 8
"""Streams that a look takes up side by side. Small: other processes look at the same time, and each
is to get its share."""

LOG_STEADY_SECONDS = 6.0
"""After a log was away leases have run out that nobody could renew: their holders come first."""

OVERDUE = Stop("error", code="deadline_exceeded")
GENERATOR_LOST = Stop("error", code="generator_lost")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream that was left goes on."""

    beginning: Beginning
    stop: Stop | None = None  # not at all: this is its end


def plan_of(
    spec: BlockSpec | None,
    state: StreamState,
    *,
    is_whole: bool,
    can_continue: bool,
    cancel_intent: str,
    recoveries: int,
    elapsed_seconds: float,
    is_overdue: bool = False,
) -> Plan:
    """Decide how a stream goes on. Pure.

    Args:
        spec: its block as it is now; None: there is none any more.
        state: what is known of it; its `seq` is the last number that may have been used.
        is_whole: nothing of what was said before is missing from `state`.
        can_continue: its provider can go on from a text.
        recoveries: how often it was taken up after a death, this time included.
        is_overdue: nobody took it up within the time that an answer may take.
    """
    if cancel_intent:
        return Plan(Beginning(state), Stop("cancelled", by=cancel_intent))  # type: ignore[arg-type]
    if spec is None or recoveries > RECOVERIES_AT_MOST:
        return Plan(Beginning(state), GENERATOR_LOST)
    if is_overdue:
        return Plan(Beginning(state), OVERDUE)
    has_begun = state.status != "queued" or not is_whole
    if not has_begun:
        return Plan(Beginning(state))
    if spec.on_generator_lost == "fail":
        return Plan(Beginning(state), GENERATOR_LOST)
    is_empty = not (state.text or state.items or state.arriving)
    so_far = ""
    if spec.on_generator_lost == "continue" and is_whole and can_continue:
        so_far = state.text
    return Plan(
        Beginning(
            state,
            so_far=so_far,
            is_void=not so_far and not (is_empty and is_whole),
            elapsed_seconds=elapsed_seconds,
        )
    )


class Recovery:
    """Finds streams that were left, and takes them up. Belongs to one event loop.

    Args:
        may_generate: False: workers do that; what is taken over here is brought to its end.
    """

    def __init__(
        self,
        *,
        process_id: str,
        log: EventLog,
        db: DatabaseThread,
        hub: Hub,
        generations: Generations,
        providers: ProviderPool,
        max_events: int,
        max_running: int,
        deadline_seconds: float,
        may_generate: bool,
    ) -> None:
        self._process_id = process_id
        self._log = log
        self._db = db
        self._hub = hub
        self._generations = generations
        self._providers = providers
        self._max_events = max_events
        self._max_running = max_running
        self._deadline_seconds = deadline_seconds
        self._may_generate = may_generate
        self._taking = 0

    async def look(
        self,
        find_left: Callable[[Collection[str]], Sequence[str]],
        take_up: Callable[[str], Awaitable[object]],
    ) -> None:
        """Take up what was left, as far as this process has room and other processes leave it.

        Args:
            find_left: ids of streams that have not ended and whose process is dead or has left
                them, those named left out. Synchronous ORM.
            take_up: called with each.
        """
        if self._log.steady_seconds < LOG_STEADY_SECONDS:
            return
        left = list(await self._db.run(find_left, self._generations.ours()))
        random.shuffle(left)  # other processes begin with others
        for begin in range(0, len(left), AT_ONCE):
            taking = [take_up(stream_id) for stream_id in left[begin : begin + AT_ONCE]]
            for error in await asyncio.gather(*taking, return_exceptions=True):
                if isinstance(error, LogUnavailable | DatabaseError | InterfaceError):
                    return  # the next look tries again
                if isinstance(error, BaseException):
                    logger.error("A stream could not be taken up.", exc_info=error)

    async def take_over(self, stream_id: str) -> None:
        """Go on with a stream here, if nobody generates it: of many processes that try at once the
        lease lets one through.

        Raises:
            LogUnavailable, DatabaseError, InterfaceError
        """
        is_full = len(self._generations) + self._taking >= self._max_running
        if is_full or stream_id in self._generations.ours():
            return
        self._taking += 1
        try:
            await self._take_over(stream_id)
        finally:
            self._taking -= 1

    async def _take_over(self, stream_id: str) -> None:
        try:
            epoch, is_new_log = await self._acquire(stream_id)
        except LogEnded:
            return await self._close(stream_id)
        if epoch is None:
            return
        try:
            if is_new_log or not await self._has_dropped_old_log(stream_id):
                await self._begin(stream_id, epoch, is_new_log=is_new_log)
        finally:
            if stream_id not in self._generations:
                await self._log.release(stream_id, epoch)

    async def _acquire(self, stream_id: str) -> tuple[int | None, bool]:
        """An epoch, and whether the stream had no log and was given one."""
        try:
            return await self._log.acquire(stream_id), False
        except StreamNotFound:
            pass
        row = await self._db.run(store.find, stream_id)
        if row is None or row.ended_at is not None:
            return None, False
        # Its log died with its process, or Redis was emptied. Who left it in good order wrote down
        # the last number that was used; else all up to the mark may have been.
        await self._log.open(stream_id, after=row.mark if row.process else row.seq)
        return await self._log.acquire(stream_id), True

    async def _has_dropped_old_log(self, stream_id: str) -> bool:
        """Drop a log that may have less than was delivered, since Redis went back in time: numbers
        would be used twice. The next look finds none, as where Redis was emptied."""
        row = await self._db.run(store.find, stream_id)
        status = await self._log.status(stream_id)
        if row is None or row.ended_at is not None:
            return False
        # Who left it in good order wrote down the last number.
        if row.seq <= status.last and not (status.is_restored and row.process):
            return False
        if status.cancel_intent is not None:
            await self._db.run(store.add_intent_to_row, row.id, row.owner, status.cancel_intent)
        await self._log.forget(stream_id)
        return True

    async def _begin(self, stream_id: str, epoch: int, *, is_new_log: bool) -> None:
        logged = await self._log.read(stream_id)
        status = await self._log.status(stream_id)
        spec = await self._db.run(_spec_of, stream_id)
        taken = await self._db.run(
            store.take_over,
            stream_id,
            process=self._process_id,
            last=status.last,
            is_all=not logged,
            max_events=self._max_events,
        )
        if taken is None:  # it has ended, or is deleted
            await self._log.forget(stream_id)
            return
        # From here on nothing may fail: this death is counted, and the row says more than before.
        row = taken.row
        if is_new_log:
            # Now its row says what stands before the log: later it would say more than a viewer
            # holds who was there to the end.
            with contextlib.suppress(StreamNotFound, LogUnavailable):
                await self._hub.follow(row)
        state, is_whole = add_up(row, logged)
        if not logged and not is_new_log:
            is_whole = taken.seq_before == status.last
        plan = plan_of(
            spec,
            state,
            is_whole=is_whole,
            can_continue=spec is not None and engine.can_continue(spec, self._providers),
            cancel_intent=row.cancel_intent or status.cancel_intent or "",
            recoveries=row.recoveries,
            elapsed_seconds=_seconds_since(row.started_at),
            is_overdue=not self._may_generate
            or (
                state.status == "queued" and _seconds_since(row.created_at) > self._deadline_seconds
            ),
        )
        if taken.was_orphaned:
            logger.warning("Stream %s lost its generator; it goes on here.", stream_id)
        stand_in = BlockType(slug=row.block_type).spec()
        self._generations.begin(row, spec or stand_in, epoch, plan.beginning, stop=plan.stop)

    async def _close(self, stream_id: str) -> None:
        """Its generator wrote the end into the log, and died before that was in the row."""
        logged = await self._log.read(stream_id)
        row = await self._db.run(store.find, stream_id)
        if row is not None and row.ended_at is None:
            await self._db.run(store.close, row, add_up(row, logged)[0])


def add_up(row: Stream, logged: Sequence[Event]) -> tuple[StreamState, bool]:
    """What a stream adds up to by its row and its log, and whether nothing is missing between the
    two. The log wins; one that begins above zero goes on from the row."""
    state, is_whole = StreamState(), True
    first = logged[0].seq or 0 if logged else None
    if first is None:
        state = state_of(row)
    elif first > 0:
        is_whole = row.seq >= first - 1
        state = state_of(row) if is_whole else StreamState(seq=first - 1, status="running")
    for event in logged:
        if event.seq is not None and event.seq > state.seq:
            state.apply(event)
    return state, is_whole


def _spec_of(stream_id: str) -> BlockSpec | None:
    """Its block as it is now, also if nobody can start it any more."""
    slugs = Stream.objects.filter(pk=stream_id).values("block_type")
    block = BlockType.objects.filter(slug__in=slugs).first()
    return None if block is None else block.spec()


def _seconds_since(time: datetime | None) -> float:
    return 0.0 if time is None else max(0.0, (timezone.now() - time).total_seconds())
