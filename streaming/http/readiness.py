"""Readiness of this process: its database, Redis, its workers, and whether it shuts down."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from ..process import LOG_UNREACHABLE_SECONDS, Process, ensure_started

PROBE_SECONDS = 2.0
"""A part that does not respond within this counts as unreachable."""

FRESH_SECONDS = 1.0
"""All probes within this time share one report."""

OK = "ok"

Report = dict[str, str]
"""State of each part: `ok`, or a few words about the problem."""


class Readiness:
    """Checks at most once a second, however many probes come. Belongs to one event loop."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._checking: asyncio.Task[Report] | None = None
        self._checked_at = float("-inf")

    async def report(self) -> Report:
        """Report the state of each part. Safe to cancel: other probes may await the same check."""
        if self._checking is None or (
            self._checking.done() and self._now() - self._checked_at >= FRESH_SECONDS
        ):
            self._checked_at = self._now()
            self._checking = asyncio.get_running_loop().create_task(
                _check(), context=contextvars.Context()
            )
        return await asyncio.shield(self._checking)


async def _check() -> Report:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            process = await ensure_started()
    except (DatabaseError, InterfaceError, TimeoutError):
        return {"database": "can't be reached"}
    report = {"database": await _database(process)}
    if process.log.survives_process:
        is_unreachable = process.log.unreachable_seconds >= LOG_UNREACHABLE_SECONDS
        report["redis"] = "can't be reached" if is_unreachable else OK
    if process.workers is not None:
        report["workers"] = OK if process.workers.are_there else "none is alive"
    report["shutdown"] = "draining" if process.manager.is_draining else OK
    return report


async def _database(process: Process) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await process.keeping.run(_ask_database)
    except (DatabaseError, InterfaceError, TimeoutError):
        return "can't be reached"
    return OK


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
