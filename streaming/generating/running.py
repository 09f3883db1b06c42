"""The generations that run in this process: begun, told to stop, kept in their leases."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from django.db import DatabaseError, InterfaceError

from blocks.providers.registry import ProviderPool
from blocks.spec import BlockSpec

from ..database import store
from ..database.store import Lost
from ..database.thread import DatabaseThread
from ..event_log.base import EventLog, LogUnavailable, StaleEpoch, StreamNotFound
from ..loop.tasks import Tasks
from ..models import Stream
from ..protocol.events import CancelledBy
from ..watching.hub import Hub
from .generation import (
    HANDED_OVER,
    TAKEN_OVER,
    Beginning,
    Generation,
    Stop,
)
from .saver import Saver

logger = logging.getLogger(__name__)

SHUTTING_DOWN = Stop("error", code="shutting_down")


class Generations:
    """Belongs to one event loop.

    Args:
        on_taken: called with streams whose rows another process has taken over.
    """

    def __init__(
        self,
        *,
        process_id: str,
        log: EventLog,
        hub: Hub,
        providers: ProviderPool,
        db: DatabaseThread,
        deadline_seconds: float,
        on_taken: Callable[[str], Coroutine[Any, Any, None]],
        now: Callable[[], float],
    ) -> None:
        self._process_id = process_id
        self._db = db
        self._log = log
        self._hub = hub
        self._providers = providers
        self._deadline_seconds = deadline_seconds
        self._on_taken = on_taken
        self._now = now
        self._running: dict[str, Generation] = {}
        self.starting: set[str] = set()
        """Ids of streams whose rows are being made here."""
        self._is_stopping = False
        self._tasks = Tasks()
        self.saver = Saver(
            process=process_id,
            db=db,
            running=lambda: list(self._running.values()),
            on_lost=self._on_lost,
        )

    def __len__(self) -> int:
        return len(self._running)

    @property
    def anonymous(self) -> int:
        """How many of them visitors started who were not signed in."""
        return sum(is_anonymous(generation) for generation in self._running.values())

    def __contains__(self, stream_id: object) -> bool:
        return stream_id in self._running

    def find(self, stream_id: str) -> Generation | None:
        return self._running.get(stream_id)

    def all(self) -> list[Generation]:
        return list(self._running.values())

    def ours(self) -> set[str]:
        """Ids of streams that are in good hands here: begun, about to begin, or about to be saved
        for the last time."""
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
            stop: it has its end already, and no provider is called.
        """
        generation = Generation(
            row,
            spec,
            log=self._log,
            epoch=epoch,
            beginning=beginning,
            providers=self._providers,
            deadline_seconds=self._deadline_seconds,
            save_last=self.saver.save_last,
            now=self._now,
        )
        self._running[row.id] = generation
        if feed := self._hub.find(row.id):
            feed.row, feed.has_live_row = row, True
        if stop is not None:
            generation.stop(stop)
        elif self._is_stopping:
            generation.stop(_leave(generation))
        self._tasks.start(self._run(generation))
        return generation

    async def _run(self, generation: Generation) -> None:
        try:
            await generation.run()
        finally:
            if self._running.get(generation.stream_id) is generation:
                del self._running[generation.stream_id]
            if generation.is_taken_over:
                self._let_go_of_row(generation)
            generation.has_ended.set()

    def _let_go_of_row(self, generation: Generation) -> None:
        """Somebody else keeps the row from now on; how ours ends is no truth any more."""
        stream_id = generation.stream_id
        logger.warning("Stream %s was taken over; its generation here ends.", stream_id)
        generation.row.ended_at = None
        if feed := self._hub.find(stream_id):
            feed.has_live_row = False

    def cancel(self, stream_id: str, by: CancelledBy) -> None:
        """A wish to cancel was heard, maybe not for the first time."""
        if generation := self._running.get(stream_id):
            generation.stop(Stop("cancelled", by=by))

    async def keep_leases(self) -> None:
        """Prolong the leases; with them come wishes to cancel whose signal was lost. What was taken
        by another process meanwhile stops here. Waits for no database: a lease must not run out
        because that is away."""
        await asyncio.gather(*(self._keep_lease(generation) for generation in self.all()))

    async def look_for_intents(self) -> None:
        """Carry out wishes to cancel that could only be stored in rows."""
        if not self._running:
            return
        with contextlib.suppress(DatabaseError, InterfaceError):
            intents = await self._db.run(store.find_intents, self._process_id)
            for stream_id, by in intents.items():
                self.cancel(stream_id, by)

    async def _keep_lease(self, generation: Generation) -> None:
        log, stream_id, epoch = self._log, generation.stream_id, generation.writer.epoch
        if generation.is_taken_over:  # its log is not ours to keep
            return
        try:
            if await log.renew(stream_id, epoch):
                return
            try:
                status = await log.status(stream_id)
            except StreamNotFound:
                return await generation.writer.regain(epoch)
            if status.terminal is not None and status.epoch == epoch:
                return  # the end is ours, and on its way to the row
        except LogUnavailable:
            return
        except StaleEpoch:
            pass
        if not await generation.writer.has_regained(epoch):
            generation.stop(TAKEN_OVER)

    def stop(self) -> None:
        """Leave what runs to the next process that notices; what may not be taken over ends. So
        does what begins from now on."""
        self._is_stopping = True
        for generation in self.all():
            generation.stop(_leave(generation))

    async def ended(self, timeout_seconds: float) -> None:
        """Wait until nothing runs, but not for ever."""
        await self._tasks.ended(timeout_seconds)

    async def aclose(self) -> None:
        await self._tasks.aclose()
        await self.saver.flush()

    def _on_lost(self, lost: Lost) -> None:
        for stream_id in lost.deleted:  # with its owner
            if generation := self._running.get(stream_id):
                generation.stop(Stop("error", code="unauthorized"))
        for stream_id in lost.taken:
            # At once: an end of ours that waits for its row must not be shown any more.
            if generation := self._running.get(stream_id):
                generation.stop(TAKEN_OVER)
            self._tasks.start(self._on_taken(stream_id))


def is_anonymous(generation: Generation) -> bool:
    return generation.row.user_id is None


def _leave(generation: Generation) -> Stop:
    """Where the block wants no second generator, its stream ends with this one."""
    return SHUTTING_DOWN if generation.spec.on_generator_lost == "fail" else HANDED_OVER
