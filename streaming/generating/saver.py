"""The saver of a process: writes the state of running streams to their rows, off the token path."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)

from ..database import saving
from ..database.rows import NO_KEYS, USAGE_COLUMNS, columns_of
from ..database.saving import Lost
from ..database.thread import DatabaseThread
from ..loop.bell import Bell
from ..loop.log_ids import of_stream
from ..metrics.counted import SAVE_FAILURES, SAVES
from .generation import Generation

logger = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
"""Least time between two saves of one stream. Rows are at most two seconds behind."""

SPREAD_SECONDS = 0.5
"""Streams that are due at the same time are saved over so long."""

TURN_STREAMS = 100
SLICE_STREAMS = 50
"""Most streams saved in one transaction: the loop and other writers work in between."""

ENDS_SECONDS = 0.025
"""Least time between two saves of ends. The first end of a quiet time is saved at once, and those
that follow share transactions: a commit costs as much as a whole start."""

END_WAITS_SECONDS = 1.0
"""How long an end waits for its row. After that viewers see it, and the row follows later."""


Ends = dict[str, tuple[Generation, asyncio.Future[None]]]


class Saver:
    """Saves changed streams with one task, each about once a second, and an end at once.

    Args:
        on_lost: called with the rows this process no longer owns, before viewers see an end.
        on_last: called once with each generation whose final state is in its row, or whose row was
            deleted meanwhile; and whether it was.
    """

    def __init__(
        self,
        *,
        process: str,
        db: DatabaseThread,
        running: Callable[[], Iterable[Generation]],
        on_lost: Callable[[Lost], None],
        on_last: Callable[[Generation, bool], None],
    ) -> None:
        self._process = process
        self._db = db
        self._running = running
        self._on_lost = on_lost
        self._on_last = on_last
        self._clock = time.monotonic
        self._due: deque[tuple[float, Generation]] = deque()  # with the time, in its order
        self._ends: Ends = {}
        self._bell = Bell()
        self._saved_ends_at = 0.0
        self._lock = asyncio.Lock()
        self._is_failing = False

    @property
    def unsaved(self) -> list[str]:
        """Ids of streams whose last save is pending."""
        return list(self._ends)

    def note(self, generation: Generation) -> None:
        """Save a generation in about a second. One that awaits its save already is not noted."""
        if not generation.awaits_save:
            generation.awaits_save = True
            self._due.append((self._clock() + SAVE_SECONDS, generation))

    async def save_last(self, generation: Generation) -> None:
        """Save a generation's final state (its end, or its output before a handover).

        Returns after `END_WAITS_SECONDS` at the latest; the saver keeps retrying after that.
        """
        saved = asyncio.get_running_loop().create_future()
        self._ends[generation.stream_id] = (generation, saved)
        self._bell.ring()
        await asyncio.wait({saved}, timeout=END_WAITS_SECONDS)

    async def run(self) -> None:
        """Save until cancelled. Call `flush` afterwards to save the rest.

        Streams with news take turns, so that no moment holds the work for all. One without news
        costs nothing.
        """
        while True:
            due, seconds = self._turn()
            if (due or self._ends) and not await self._shielded(due):
                await asyncio.sleep(SAVE_SECONDS)
            await self._pause(seconds)

    def _turn(self) -> tuple[list[Generation], float]:
        """Return the streams to save now, those that have waited longest first, and how long to
        pause then."""
        now, waiting = self._clock(), self._due
        pause = SPREAD_SECONDS * min(1.0, TURN_STREAMS / max(1, len(waiting)))
        turn: list[Generation] = []
        while waiting and waiting[0][0] <= now and len(turn) < TURN_STREAMS:
            _, generation = waiting.popleft()
            generation.awaits_save = False
            turn.append(generation)
        return turn, pause

    async def _pause(self, seconds: float) -> None:
        """Wait, and meanwhile save the ends that come."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._bell.wait()
            except TimeoutError:
                return
            await asyncio.sleep(self._saved_ends_at + ENDS_SECONDS - self._clock())
            if self._ends and not await self._shielded([]):
                await asyncio.sleep(SAVE_SECONDS)

    async def flush(self) -> bool:
        """Save all changes.

        Returns:
            False if the database is unreachable; the changes stay pending.

        Cancelling stops the wait, not the save.
        """
        return await self._shielded(list(self._running()))

    async def _shielded(self, generations: list[Generation]) -> bool:
        return await asyncio.shield(asyncio.ensure_future(self._flush(generations)))

    async def _flush(self, generations: list[Generation]) -> bool:
        """Save these generations and all pending ends, in slices, the ends first."""
        async with self._lock:  # of two concurrent saves, one would see the other's ends as lost
            while True:
                ends, part = dict(self._ends), generations[:SLICE_STREAMS]
                if not await self._has_saved(part, ends):
                    self._put_back(generations)
                    return False
                generations = generations[SLICE_STREAMS:]
                if not generations and not self._ends:
                    return True

    def _put_back(self, generations: list[Generation]) -> None:
        now = self._clock()
        for generation in reversed(generations):
            if not generation.awaits_save:
                generation.awaits_save = True
                self._due.appendleft((now, generation))

    async def _has_saved(self, generations: list[Generation], ends: Ends) -> bool:
        """Save one slice. A fault of ours counts as an outage: the saver must not end with it."""
        try:
            return await self._save_part(generations, ends)
        except Exception:
            SAVE_FAILURES.inc()
            if not self._is_failing:
                logger.exception("Saving streams failed; retrying.")
            self._is_failing = True
            return False

    async def _save_part(self, generations: list[Generation], ends: Ends) -> bool:
        columns: dict[str, dict[str, Any]] = {}
        news: dict[str, dict[str, Any]] = {}
        for generation in [*(generation for generation, _ in ends.values()), *generations]:
            stream_id, state = generation.stream_id, generation.writer.state
            is_end = stream_id in ends
            if stream_id in columns or (generation.has_ended.is_set() and not is_end):
                continue
            if generation.writer.is_behind:  # the state lacks what the log does not have yet
                self.note(generation)
            if state.seq == generation.saved.get("seq") and not is_end:
                continue  # saved meanwhile
            columns[stream_id] = _columns(generation, is_end=is_end)
            news[stream_id] = _changed(generation.saved, columns[stream_id])
        if not news:
            return True
        try:
            with SAVES.time():
                lost = await self._save(news)
        except (DatabaseError, InterfaceError) as error:
            SAVE_FAILURES.inc()
            if not self._is_failing:
                name = type(error).__name__
                logger.warning("Streams can't be saved (%s); retrying.", name)
            self._is_failing = True
            return False
        self._is_failing = False
        if lost != Lost():
            self._on_lost(lost)
        for generation in generations:
            if generation.stream_id in columns:
                generation.saved = columns[generation.stream_id]
        if ends:
            self._saved_ends_at = self._clock()
        without, deleted = {*lost.taken_over, *lost.refused}, {*lost.deleted}
        for stream_id, (generation, saved) in ends.items():
            generation.saved = columns[stream_id]
            self._ends.pop(stream_id, None)
            if not saved.done():
                saved.set_result(None)
            if stream_id not in without:
                self._tell_last(generation, stream_id in deleted)
        return True

    def _tell_last(self, generation: Generation, is_deleted: bool) -> None:
        try:
            self._on_last(generation, is_deleted)
        except Exception:  # the row is written; the other ends of this slice must go on
            with of_stream(generation.stream_id):
                logger.exception("Telling the end of stream %s failed.", generation.stream_id)

    async def _save(self, news: Mapping[str, Mapping[str, Any]]) -> Lost:
        """Save all streams in one transaction; if that fails, each in its own.

        Raises:
            DatabaseError, InterfaceError: the database is unreachable.
        """
        try:
            return await self._db.run(saving.save, self._process, news)
        except Exception as error:
            if _is_unreachable(error):
                raise
        # One stream holds a value that can't be stored: save the others without it.
        lost = Lost()
        for stream_id, columns in news.items():
            try:
                one = await self._db.run(saving.save, self._process, {stream_id: columns})
            except Exception as error:
                if _is_unreachable(error):
                    raise
                with of_stream(stream_id):
                    logger.exception("Stream %s can't be saved.", stream_id)
                lost.refused.append(stream_id)
            else:
                lost.taken_over.extend(one.taken_over)
                lost.deleted.extend(one.deleted)
        return lost


def _is_unreachable(error: Exception) -> bool:
    """Whether the database failed, rather than rejected the data."""
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return False
    return isinstance(error, DatabaseError | InterfaceError)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in after.items() if name not in before or before[name] != value
    }


def _columns(generation: Generation, *, is_end: bool) -> dict[str, Any]:
    row = generation.row
    columns = columns_of(generation.writer.state, is_encoded=True)
    generation.note_usage()
    for name in ("started_at", "ttft_ms", *USAGE_COLUMNS):
        columns[name] = getattr(row, name)
    columns["ended_at"] = row.ended_at if is_end else None
    return columns | NO_KEYS if is_end else columns
