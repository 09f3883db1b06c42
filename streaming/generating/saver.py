"""The saver of a process: brings what running streams have into their rows, off the token path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)

from ..database import store
from ..database.rows import USAGE_COLUMNS, columns_of
from ..database.store import Lost
from ..database.thread import DatabaseThread
from ..loop.bell import Bell
from .generation import Generation

logger = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
END_WAITS_SECONDS = 1.0
"""How long an end waits for its row; then it is shown, and the row follows when it can."""


class Saver:
    """One task, one transaction a second for all streams that have news; ends are written at once,
    together with whatever else is due.

    Args:
        on_lost: called with what a save found, before ends are shown.
    """

    def __init__(
        self,
        *,
        process: str,
        db: DatabaseThread,
        running: Callable[[], Iterable[Generation]],
        on_lost: Callable[[Lost], None],
    ) -> None:
        self._process = process
        self._db = db
        self._running = running
        self._on_lost = on_lost
        self._ends: dict[str, tuple[Generation, asyncio.Future[None]]] = {}
        self._bell = Bell()
        self._lock = asyncio.Lock()
        self._is_failing = False

    @property
    def unsaved(self) -> list[str]:
        """Ids of streams whose ends are on the way to their rows."""
        return list(self._ends)

    async def save_last(self, generation: Generation) -> None:
        """Bring what a generation leaves behind into its row, its end as a rule, if that can be had
        soon; it is tried until it is."""
        saved = asyncio.get_running_loop().create_future()
        self._ends[generation.stream_id] = (generation, saved)
        self._bell.ring()
        await asyncio.wait({saved}, timeout=END_WAITS_SECONDS)

    async def run(self) -> None:
        """Save for ever. Cancel it to stop; `flush` brings in the rest."""
        while True:
            try:
                async with asyncio.timeout(SAVE_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                pass
            if not await self.flush():
                await asyncio.sleep(SAVE_SECONDS)

    async def flush(self) -> bool:
        """Save what is new. False: the database could not be reached; nothing is forgotten.

        Cancelling stops the wait, not the work.
        """
        return await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> bool:
        async with self._lock:  # two at once would take each other's ends for lost ones
            ends = dict(self._ends)
            columns: dict[str, dict[str, Any]] = {}
            news: dict[str, dict[str, Any]] = {}
            for generation in [*self._running(), *(generation for generation, _ in ends.values())]:
                stream_id, state = generation.stream_id, generation.writer.state
                is_end = stream_id in ends
                if stream_id in columns:
                    continue
                if state.seq == generation.saved.get("seq") and not is_end:
                    continue
                columns[stream_id] = _columns(generation, is_end=is_end)
                news[stream_id] = _changed(generation.saved, columns[stream_id])
            if not news:
                return True
            try:
                lost = await self._save(news)
            except (DatabaseError, InterfaceError) as error:
                if not self._is_failing:
                    name = type(error).__name__
                    logger.warning("Streams can't be saved (%s); trying again.", name)
                self._is_failing = True
                return False
            self._is_failing = False
            if lost != Lost():
                self._on_lost(lost)
            for generation in self._running():
                if generation.stream_id in columns:
                    generation.saved = columns[generation.stream_id]
            for stream_id, (_, saved) in ends.items():
                self._ends.pop(stream_id, None)
                if not saved.done():
                    saved.set_result(None)
            return True

    async def _save(self, news: Mapping[str, Mapping[str, Any]]) -> Lost:
        """
        Raises:
            DatabaseError, InterfaceError: the database can't be reached.
        """
        try:
            return await self._db.run(store.save, self._process, news)
        except Exception as error:
            if _is_away(error):
                raise
        # What one stream has can't be stored: the others must not suffer for it.
        lost = Lost()
        for stream_id, columns in news.items():
            try:
                one = await self._db.run(store.save, self._process, {stream_id: columns})
            except Exception as error:
                if _is_away(error):
                    raise
                logger.exception("Stream %s can't be saved.", stream_id)
            else:
                lost.taken.extend(one.taken)
                lost.deleted.extend(one.deleted)
        return lost


def _is_away(error: Exception) -> bool:
    """Whether the database is at fault, and not what it was given."""
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return False
    return isinstance(error, DatabaseError | InterfaceError)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in after.items() if name not in before or before[name] != value
    }


def _columns(generation: Generation, *, is_end: bool) -> dict[str, Any]:
    row = generation.row
    columns = columns_of(generation.writer.state)
    generation.note_usage()
    for name in ("started_at", "ttft_ms", *USAGE_COLUMNS):
        columns[name] = getattr(row, name)
    columns["ended_at"] = row.ended_at if is_end else None
    return columns
