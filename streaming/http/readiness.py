"""Whether this process can do its work now: its database, Redis, its workers, or a shutdown."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from ..process import LOG_UNREACHABLE_SECONDS, Process, ensure_started

PROBE_SECONDS = 2.0
"""What does not answer within this counts as away."""

FRESH_SECONDS = 1.0
"""One look is shared by all who ask within this."""

OK = "ok"

Report = dict[str, str]
"""By part: `ok`, or in a few words what is wrong with it."""


class Readiness:
    """Looks at most once a second, however many ask. Belongs to one event loop."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looking: asyncio.Task[Report] | None = None
        self._looked_at = float("-inf")

    async def report(self) -> Report:
        """Safe to cancel: others may wait for the same look."""
        if self._looking is None or (
            self._looking.done() and self._now() - self._looked_at >= FRESH_SECONDS
        ):
            self._looked_at = self._now()
            self._looking = asyncio.get_running_loop().create_task(
                _look(), context=contextvars.Context()
            )
        return await asyncio.shield(self._looking)


async def _look() -> Report:
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
