"""The tasks of one owner: started in a fresh context, kept until they end, cancelled together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .log_ids import fresh_context

T = TypeVar("T")


class Tasks:
    """Holds a strong reference to each task; asyncio holds none. Belongs to one event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] | None = None  # None: no task; an empty set is large

    def __len__(self) -> int:
        return len(self._running or ())

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task in a fresh context, which has the ids of the current one.

        In a request's context, asgiref would run the task's synchronous calls on a thread that ends
        with the request.
        """
        task = asyncio.get_running_loop().create_task(work, context=fresh_context())
        if self._running is None:
            self._running = set()
        self._running.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        if self._running is not None:
            self._running.discard(task)
            self._running = self._running or None

    def others(self) -> list[asyncio.Task[Any]]:
        """Return the running tasks except the calling one."""
        here = asyncio.current_task()
        return [task for task in self._running or () if task is not here]

    async def ended(self, timeout_seconds: float) -> None:
        """Wait until no task runs, or the timeout passes; includes tasks that start meanwhile."""
        now = asyncio.get_running_loop().time
        until = now() + timeout_seconds
        while self._running and (remaining := until - now()) > 0:
            await asyncio.wait(self._running, timeout=remaining)

    async def aclose(self) -> None:
        """Cancel all tasks except the calling one, and wait until they have ended."""
        tasks = self.others()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
