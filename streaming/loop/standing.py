"""The tasks that a process runs for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

Work = Coroutine[Any, Any, None]

logger = logging.getLogger(__name__)


class StandingTasks:
    """Runs them, and notes when one has ended: its work is missing until the process restarts."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self.has_failed = False

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(self._tasks)

    def start(self, works: Iterable[Work], *, once: Iterable[Work] = ()) -> None:
        """Start a task for each, in the current context.

        Args:
            works: what must go on.
            once: what ends by itself; its failure is logged and harms nothing else.
        """
        loop = asyncio.get_running_loop()
        for work in works:
            self._tasks.append(task := loop.create_task(work))
            task.add_done_callback(self._note_end)
        for work in once:
            self._tasks.append(task := loop.create_task(work))
            task.add_done_callback(_log_failure)

    async def aclose(self) -> None:
        """Cancel them all, and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self.has_failed = self.has_failed or not task.cancelled()
        _log_failure(task)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        name = getattr(task.get_coro(), "__qualname__", task.get_name())
        logger.error("A task of this process has failed: %s.", name, exc_info=error)
