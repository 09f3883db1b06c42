"""The tasks of one owner: started in a fresh context, kept until they end, cancelled together."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """Belongs to one event loop. Keeps a reference to each task: asyncio itself keeps none."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task. Its context is fresh: in the context of a request, asgiref would run its
        synchronous calls on a thread that ends with the request."""
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def others(self) -> list[asyncio.Task[Any]]:
        """All that run, without the task that asks."""
        here = asyncio.current_task()
        return [task for task in self._running if task is not here]

    async def ended(self, timeout_seconds: float) -> None:
        """Wait until none runs, those included that start meanwhile; at most for a time."""
        now = asyncio.get_running_loop().time
        until = now() + timeout_seconds
        while self._running and (remaining := until - now()) > 0:
            await asyncio.wait(self._running, timeout=remaining)

    async def aclose(self) -> None:
        """Cancel all, and wait until they have ended."""
        tasks = self.others()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
