"""Recovery: finds orphans and resumes them where their last generator stopped."""

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
from blocks.sample import spec_of_sample
from blocks.spec import BlockSpec

from ..database import store
from ..database.rows import state_of
from ..database.store import TakenOver
from ..database.thread import DatabaseThread
from ..event_log.base import (
    EventLog,
    LogEnded,
    LogStatus,
    LogUnavailable,
    StreamNotFound,
)
from ..loop.log_ids import of_stream
from ..metrics.counted import TAKE_OVERS
from ..models import Stream
from ..protocol.events import Event
from ..protocol.state import StreamState
from ..watching.hub import Hub
from .generation import Beginning, Stop
from .running import Generations
from .spans import of_carrier

logger = logging.getLogger(__name__)

RECOVERIES_AT_MOST = 3
AT_ONCE = 8
"""Streams that one scan takes over concurrently.

Small, because other processes scan at the same time and each should get its share.
"""

LOG_STEADY_SECONDS = 6.0
"""How long a log must have been reachable before a scan.

Leases expire while the log is unreachable; their holders get the first chance to renew them.
"""

OVERDUE = Stop("error", code="deadline_exceeded")
GENERATOR_LOST = Stop("error", code="generator_lost")


@dataclass(frozen=True, slots=True)
class Plan:
    """How an orphan continues or ends."""

    beginning: Beginning
    stop: Stop | None = None  # if set, the stream does not continue but ends with this


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
    """Decide how an orphan continues. Pure.

    Args:
        spec: the stream's block as it is now; None if the block no longer exists.
        state: the known state; its `seq` is the last number that may have been used.
        is_whole: whether `state` contains all earlier output.
        can_continue: whether the provider can continue from a given text.
        recoveries: how often the stream was taken over from a dead process, this time included.
        is_overdue: whether the stream waited longer than an answer may take.
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
    """Finds orphans and takes them over. Belongs to one event loop.

    Args:
        may_generate: whether this process generates. If False, workers do, and a stream taken
            over here only gets its end.
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
        self._taking_over = 0

    async def look(
        self,
        find_orphans: Callable[[Collection[str]], Sequence[str]],
        take_over: Callable[[str], Awaitable[object]],
    ) -> None:
        """Scan for orphans, and take over those that fit here and that no other process takes.

        Args:
            find_orphans: returns the ids of the orphans, except the ids passed to it. Synchronous
                ORM.
            take_over: called with each id.
        """
        if self._log.steady_seconds < LOG_STEADY_SECONDS:
            return
        orphans = list(await self._db.run(find_orphans, self._generations.ours()))
        random.shuffle(orphans)  # concurrent scans start at different streams
        for begin in range(0, len(orphans), AT_ONCE):
            some = orphans[begin : begin + AT_ONCE]
            taking = [take_over(stream_id) for stream_id in some]
            errors = await asyncio.gather(*taking, return_exceptions=True)
            for stream_id, error in zip(some, errors, strict=True):
                if isinstance(error, LogUnavailable | DatabaseError | InterfaceError):
                    return  # the next scan retries
                if isinstance(error, BaseException):
                    with of_stream(stream_id):
                        logger.error("A stream could not be taken over.", exc_info=error)
        ours = self._generations.ours()
        has_left = any(stream_id not in ours for stream_id in orphans)
        self._generations.hold_places(has_left and self._generations.is_full)

    async def take_over(self, stream_id: str) -> None:
        """Continue a stream here unless it has a generator.

        If several processes try at once, the lease admits one.

        Raises:
            LogUnavailable, DatabaseError, InterfaceError
        """
        if self._is_full or stream_id in self._generations.ours():
            return
        self._taking_over += 1
        try:
            with of_stream(stream_id):
                await self._take_over(stream_id)
        finally:
            self._taking_over -= 1

    @property
    def _is_full(self) -> bool:
        is_busy = self._taking_over >= self._max_running
        return is_busy or self._generations.is_full

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
        """Acquire the lease, and open a log if the stream has none.

        Returns:
            The epoch, or None if the stream can't be taken over; and whether a log was opened.
        """
        try:
            return await self._log.acquire(stream_id), False
        except StreamNotFound:
            pass
        row = await self._db.run(store.find, stream_id)
        if row is None or row.ended_at is not None:
            return None, False
        # The log died with its process, or Redis was emptied. After a handover the row holds the
        # last number used; otherwise every number up to the mark may have been used.
        await self._log.open(stream_id, after=row.mark if row.process else row.seq)
        return await self._log.acquire(stream_id), True

    async def _has_dropped_old_log(self, stream_id: str) -> bool:
        """Drop a log that may lack delivered events because Redis restored an older state.

        Writing to it would use numbers twice. The next scan finds no log, as if Redis was emptied.
        """
        row = await self._db.run(store.find, stream_id)
        status = await self._log.status(stream_id)
        if row is None or row.ended_at is not None:
            return False
        # After a handover (no process) the row holds the last number used.
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
        taken_over = await self._db.run(
            store.take_over,
            stream_id,
            process=self._process_id,
            last=status.last,
            is_all=not logged,
            max_events=self._max_events,
        )
        if taken_over is None or taken_over.has_ended:  # the former: ended before, or deleted
            if taken_over is not None:
                self._generations.tell_end(taken_over.row)
            await self._log.forget(stream_id)
            return
        # From here on nothing may fail: the row has counted the recovery and moved its numbers.
        with of_carrier(taken_over.row.carrier):
            await self._continue(taken_over, spec, epoch, logged, status, is_new_log=is_new_log)

    async def _continue(
        self,
        taken_over: TakenOver,
        spec: BlockSpec | None,
        epoch: int,
        logged: Sequence[Event],
        status: LogStatus,
        *,
        is_new_log: bool,
    ) -> None:
        row = taken_over.row
        if is_new_log:
            # Subscribe now, while the row holds exactly what precedes the log. Later it would
            # hold more than a viewer who watched to the last event.
            with contextlib.suppress(StreamNotFound, LogUnavailable):
                await self._hub.follow(row)
        state, is_whole = add_up(row, logged)
        if not logged and not is_new_log:
            is_whole = taken_over.seq_before == status.last
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
        if taken_over.has_dead_generator:
            TAKE_OVERS.labels("died").inc()
        elif row.started_at is not None:  # else it is new, and comes from the queue
            TAKE_OVERS.labels("handed_over").inc()
        if taken_over.has_dead_generator:
            logger.warning("Stream %s lost its generator; this process takes it over.", row.id)
        stand_in = BlockType(slug=row.block_type).spec()
        self._generations.begin(row, spec or stand_in, epoch, plan.beginning, stop=plan.stop)

    async def _close(self, stream_id: str) -> None:
        """Copy the end from the log to the row: the generator died between the two writes."""
        logged = await self._log.read(stream_id)
        row = await self._db.run(store.find, stream_id)
        if row is None or row.ended_at is not None:
            return
        if await self._db.run(store.close, row, add_up(row, logged)[0]):
            self._generations.tell_end(row)


def add_up(row: Stream, logged: Sequence[Event]) -> tuple[StreamState, bool]:
    """Compute a stream's state from its row and its log.

    The log takes precedence; a log that begins above zero continues from the row.

    Returns:
        The state, and whether no event is missing between row and log.
    """
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
    """Return the stream's block as it is now, even if it can no longer be started."""
    row = Stream.objects.filter(pk=stream_id).values("block_type", "sample").first()
    block = row and BlockType.objects.filter(slug=row["block_type"]).first()
    if not row or not block:
        return None
    return spec_of_sample(block, row["sample"]) if row["sample"] else block.spec()


def _seconds_since(time: datetime | None) -> float:
    return 0.0 if time is None else max(0.0, (timezone.now() - time).total_seconds())
