"""The generations of this process: starts and stops them, and renews their leases."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from django.db import DatabaseError, InterfaceError

from blocks.providers.registry import ProviderPool
from blocks.spec import BlockSpec

from ..access import owners
from ..admission.capacity import Capacity
from ..admission.crowd import USER, Crowd, asker_of
from ..database import store
from ..database.saving import Lost
from ..database.thread import DatabaseThread
from ..event_log.base import EventLog, LogUnavailable, StaleEpoch, StreamNotFound
from ..loop.log_ids import begin_stream
from ..loop.tasks import Tasks
from ..metrics.counted import LOST_STREAMS, count_end, count_first_token, expect_ends
from ..models import Stream
from ..protocol.codes import STREAM_ERRORS
from ..protocol.events import CancelledBy, Event, code_of
from ..switches import Switches
from ..watching.hub import Hub
from .end_signal import EndSignals
from .generation import HANDED_OVER, TAKEN_OVER, Beginning, Generation, Stop
from .line import Line
from .model_watch import ModelWatch
from .saver import Saver
from .spans import generation_span

logger = logging.getLogger(__name__)

SHUTTING_DOWN = Stop("error", code="shutting_down")
PAUSED = Stop("cancelled", by="admin")

_ERRORS = tuple(STREAM_ERRORS)
_TOO_LATE = ("provider_timeout", "deadline_exceeded")
"""Errors of an answer that has begun too late, if it has not begun."""


class Generations:
    """Runs the generations of one process. Belongs to one event loop.

    Args:
        capacity: how many may call a provider at a time; the others wait in line.
        wait_seconds: how long one may wait there.
        on_taken_over: called with the id of a stream whose row another process has taken over.
    """

    def __init__(
        self,
        *,
        process_id: str,
        log: EventLog,
        hub: Hub,
        providers: ProviderPool,
        db: DatabaseThread,
        capacity: Capacity,
        wait_seconds: float,
        deadline_seconds: float,
        on_taken_over: Callable[[str], Coroutine[Any, Any, None]],
        now: Callable[[], float],
    ) -> None:
        self._process_id = process_id
        self._db = db
        self._log = log
        self._hub = hub
        self._providers = providers
        self._line = Line(capacity)
        self._wait_seconds = wait_seconds
        self._deadline_seconds = deadline_seconds
        self._on_taken_over = on_taken_over
        self._now = now
        self._running: dict[str, Generation] = {}
        self.crowd = Crowd()
        """Those whose streams run here, by the stream's id."""
        self.starting: set[str] = set()
        """Ids of streams whose rows are being created here."""
        self.deleted: set[str] = set()
        """Ids of streams whose rows were deleted while they ran here, until their logs are too."""
        self._is_stopping = False
        self._switches: Switches | None = None
        self._tasks = Tasks()
        self._written_before = 0  # events of the generations that have ended
        self.model = ModelWatch(providers)
        """What the ends of answers say about the configured model."""
        self.signals = EndSignals()
        self.saver = Saver(
            process=process_id,
            db=db,
            running=lambda: list(self._running.values()),
            on_lost=self._on_lost,
            on_last=self._on_saved,
        )

    def __len__(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Number of generations that wait for a place."""
        return self._line.waiting

    @property
    def written(self) -> int:
        """Number of events that all generations have written, without the ends. Never falls."""
        running = self._running.values()
        return self._written_before + sum(generation.writer.written for generation in running)

    def __contains__(self, stream_id: object) -> bool:
        return stream_id in self._running

    def find(self, stream_id: str) -> Generation | None:
        return self._running.get(stream_id)

    def all(self) -> list[Generation]:
        return list(self._running.values())

    def ours(self) -> set[str]:
        """Ids of streams that this process handles: running, starting, or awaiting a last save."""
        return {*self._running, *self.starting, *self.saver.unsaved}

    def begin(
        self,
        row: Stream,
        spec: BlockSpec,
        epoch: int,
        beginning: Beginning,
        *,
        stop: Stop | None = None,
    ) -> Generation:
        """Generate a stream whose lease was just acquired.

        Args:
            stop: ends the stream with this reason, without calling a provider.
        """
        generation = Generation(
            row,
            spec,
            log=self._log,
            epoch=epoch,
            beginning=beginning,
            providers=self._providers,
            line=self._line,
            wait_seconds=self._wait_seconds,
            deadline_seconds=self._deadline_seconds,
            save_last=self.saver.save_last,
            on_news=self.saver.note,
            now=self._now,
        )
        self._running[row.id] = generation
        expect_ends(row.block_type, _ERRORS)
        self.crowd.put(row.id, asker_of(row.owner, row.user_id, row.address_key))
        if feed := self._hub.find(row.id):
            feed.row, feed.has_live_row = row, True
        if stop is not None:
            generation.stop(stop)
        elif self._switches is not None and self._switches.paused:
            generation.stop(PAUSED)  # it was admitted just before
        elif self._is_stopping:
            generation.stop(_leave(generation))
        self._tasks.start(self._run(generation))
        return generation

    async def _run(self, generation: Generation) -> None:
        begin_stream(generation.stream_id)
        try:
            with generation_span(generation):
                await generation.run()
        finally:
            if self._running.get(generation.stream_id) is generation:
                del self._running[generation.stream_id]
                self.crowd.drop(generation.stream_id)
                self._written_before += generation.writer.written
            if generation.is_taken_over:
                self._let_go_of_row(generation)
            generation.has_ended.set()
            self._note_model(generation)

    def _note_model(self, generation: Generation) -> None:
        terminal = generation.writer.state.terminal
        if terminal is None or generation.row.ended_at is None:
            return  # another process continues it
        self.model.note(
            generation.spec.model,
            code_of(terminal),
            is_of_request=generation.is_request_rejected,
        )

    def tell_end(self, row: Stream) -> None:
        """Count and signal the end that was written to a row without a generation."""
        if row.terminal is not None:
            terminal = Event.from_dict(row.terminal)
            _count(row, terminal)
            self.signals.tell(row, terminal)

    def _on_saved(self, generation: Generation, is_deleted: bool) -> None:
        """Count and signal an end that its row has.

        Only one process succeeds in writing it, so all processes together count each answer once,
        even if the one that generated it could not save it and another one did.
        """
        terminal = generation.writer.state.terminal
        if terminal is None:
            return  # it is handed over
        _count(generation.row, terminal)
        if not is_deleted:
            self.signals.tell(generation.row, terminal)

    def _let_go_of_row(self, generation: Generation) -> None:
        """Stop using this generation's row: another process owns it, and our end is void."""
        stream_id = generation.stream_id
        logger.warning("Stream %s was taken over; its generation here ends.", stream_id)
        LOST_STREAMS.inc()
        generation.row.ended_at = None
        if feed := self._hub.find(stream_id):
            feed.has_live_row = False

    @property
    def is_full(self) -> bool:
        """Whether all places are taken."""
        return self._line.is_full

    def is_short(self, capacity: Capacity) -> bool:
        """Whether somebody waits for a place, or few are left."""
        is_short = capacity.is_short(running=len(self), anonymous=self.crowd.anonymous)
        return is_short or self.waiting > 0

    def hold_places(self, is_held: bool) -> None:
        """Keep free places for streams whose process died, instead of giving them to the line."""
        self._line.hold(is_held)

    def leave_line(self) -> None:
        """Hand over the streams that wait for a place."""
        for generation in self.all():
            generation.leave_line()

    def cancel(self, stream_id: str, by: CancelledBy) -> None:
        """Carry out a cancel intent. Idempotent."""
        if generation := self._running.get(stream_id):
            generation.stop(Stop("cancelled", by=by))

    def obey(self, switches: Switches) -> None:
        """Obey the switch that stops everything; called about twice a second.

        While it is on, what runs here is cancelled, and what begins here calls no provider.
        """
        self._switches = switches
        if switches.paused:
            for generation in self.all():
                generation.stop(PAUSED)

    def require_starts(self) -> None:
        """Refuse starts while everything is stopped.

        Raises:
            Refused: `paused`.
        """
        if self._switches is not None:
            self._switches.require_starts()

    async def look_for_owners(self) -> None:
        """Follow the anonymous streams that have become a user's (database/joining.py)."""
        anonymous = [key for key, running in self._running.items() if is_anonymous(running)]
        if not anonymous:
            return
        joined = await self._db.run(store.find_joined, anonymous)
        for stream_id, (owner, user_id) in joined.items():
            if generation := self._running.get(stream_id):
                generation.sign_in(owner, user_id)
                self.crowd.put(stream_id, USER)

    async def keep_leases(self) -> None:
        """Renew the leases.

        Renewing also delivers cancel intents whose signal was lost. A generation whose stream
        another process took over stops. Never waits for the database: a lease must not expire
        because the database is unreachable.
        """
        kept = {
            (generation.stream_id, generation.writer.epoch): generation
            for generation in self._running.values()
            if not generation.is_taken_over  # else the lease belongs to another generator
        }
        lost = await self._log.renew_all(list(kept))
        await asyncio.gather(*(self._lost_lease(kept[lease], lease[1]) for lease in lost))

    async def look_for_intents(self) -> None:
        """Carry out the cancel intents that could only be stored in rows."""
        if not self._running:
            return
        with contextlib.suppress(DatabaseError, InterfaceError):
            intents = await self._db.run(store.find_intents, self._process_id)
            for stream_id, by in intents.items():
                self.cancel(stream_id, by)

    async def _lost_lease(self, generation: Generation, epoch: int) -> None:
        log, stream_id = self._log, generation.stream_id
        try:
            status = await log.status(stream_id)
            if status.terminal is not None and status.epoch == epoch:
                return  # the end is ours, and is being written to the row
        except StreamNotFound:
            with contextlib.suppress(StaleEpoch):
                return await generation.writer.regain(epoch)
        except LogUnavailable:
            return
        if not await generation.writer.has_regained(epoch):
            generation.stop(TAKEN_OVER)

    def stop(self) -> None:
        """Hand over the running streams, and end those whose blocks forbid a takeover.

        The same applies to generations that begin after this call.
        """
        self._is_stopping = True
        for generation in self.all():
            generation.stop(_leave(generation))

    async def ended(self, timeout_seconds: float) -> None:
        """Wait until no generation runs, at most `timeout_seconds`."""
        await self._tasks.ended(timeout_seconds)

    async def aclose(self) -> None:
        await self._tasks.aclose()
        await self.saver.flush()
        await self.signals.aclose()

    def stop_deleted(self, stream_ids: Iterable[str]) -> None:
        """Stop streams whose rows were deleted, together with their owner or by an admin."""
        for stream_id in stream_ids:
            self.deleted.add(stream_id)
            if generation := self._running.get(stream_id):
                generation.stop(Stop("error", code="unauthorized"))

    def _on_lost(self, lost: Lost) -> None:
        self.stop_deleted(lost.deleted)
        for stream_id in lost.taken_over:
            # At once: if our end waits for its row, viewers must no longer see it.
            if generation := self._running.get(stream_id):
                generation.stop(TAKEN_OVER)
            self._tasks.start(self._on_taken_over(stream_id))


def is_anonymous(generation: Generation) -> bool:
    return owners.is_anonymous(generation.row.owner, generation.row.user_id)


def _leave(generation: Generation) -> Stop:
    """Return the stop for a shutdown: an error if the block forbids a second generator."""
    return SHUTTING_DOWN if generation.spec.on_generator_lost == "fail" else HANDED_OVER


def _count(row: Stream, terminal: Event) -> None:
    ended_at = row.ended_at or row.created_at
    count_end(
        row.block_type,
        status=terminal.type,
        code=code_of(terminal),
        seconds=(ended_at - row.created_at).total_seconds(),
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
    )
    waited = _wait_without_token(row, terminal)
    if waited is not None:
        count_first_token(row.block_type, waited)


def _wait_without_token(row: Stream, terminal: Event) -> float | None:
    """Return how long a streaming answer ran, in seconds, if the wait for its first token ended it.

    None for one that began, for one that never had a place, and for one that failed at once.
    """
    if row.started_at is None or row.ttft_ms is not None or not row.is_streaming:
        return None
    if terminal.type != "cancelled" and code_of(terminal) not in _TOO_LATE:
        return None
    return ((row.ended_at or row.started_at) - row.started_at).total_seconds()
