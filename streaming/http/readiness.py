"""Readiness of this process: its database, Redis, workers and tasks, and whether it shuts down.

The state of the model is reported, too, but does not decide: see "Probes" in spec.md.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable

from django.db import DatabaseError, InterfaceError, connection

from ..process import LOG_UNREACHABLE_SECONDS, Process, ensure_started

PROBE_SECONDS = 2.0
"""A part that does not respond within this counts as unreachable."""

FRESH_SECONDS = 1.0
"""All probes within this time share one report."""

OK = "ok"

MODEL = "model"
"""The part that is reported only. An outage of the model's service would otherwise take all
processes out of service at once, with pages, history and running answers."""

Report = dict[str, str]
"""State of each part: `ok`, or a few words about the problem."""


class Readiness:
    """Checks at most once a second, however many probes come. Belongs to one event loop.

    Args:
        process: the process to check; None: that of the loop, which the first check starts.
    """

    def __init__(
        self, process: Process | None = None, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.process = process
        """The process as last found; None: it could not be started."""
        self._find = _of_loop if process is None else _always(process)
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
                self._check(), context=contextvars.Context()
            )
        return await asyncio.shield(self._checking)

    async def _check(self) -> Report:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                process = self.process = await self._find()
        except (DatabaseError, InterfaceError, TimeoutError):
            self.process = None
            return {"database": "can't be reached"}
        report = {"database": await _database(process)}
        if process.log.survives_process:
            # A short outage is ignored, but not before the first contact: the address may be wrong.
            is_unreachable = (
                not process.log.has_answered
                or process.log.unreachable_seconds >= LOG_UNREACHABLE_SECONDS
            )
            report["redis"] = "can't be reached" if is_unreachable else OK
        if process.workers is not None:
            report["workers"] = OK if process.workers.are_there else "none is alive"
            report[MODEL] = process.workers.model_trouble or OK
        else:
            report[MODEL] = process.generations.model.trouble or OK
        report["tasks"] = "one has ended" if process.tasks.has_failed else OK
        report["shutdown"] = "draining" if process.manager.is_draining else OK
        return report


def is_ready(report: Report) -> bool:
    """Whether a process can do its work."""
    return all(state == OK for part, state in report.items() if part != MODEL)


async def _of_loop() -> Process:
    return await ensure_started()


def _always(process: Process) -> Callable[[], Awaitable[Process]]:
    async def find() -> Process:
        return process

    return find


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
