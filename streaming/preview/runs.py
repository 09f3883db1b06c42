"""The running previews, by owner, and those whose clients have left and whose models still stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..loop.tasks import Tasks

STOP_SECONDS = 2.0
"""How long a next preview waits until the model of the one before has stopped."""


class Runs:
    """Keeps the tasks of previews."""

    def __init__(self) -> None:
        self._tasks = Tasks()
        self._stopping: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.start(work)

    def stop(self, owner: str, task: asyncio.Task[None]) -> None:
        """Cancel a preview; it takes a moment to stop its model."""
        if task.done():
            return
        task.cancel()
        self._stopping[owner] = task
        task.add_done_callback(lambda _: self._forget(owner, task))

    def _forget(self, owner: str, task: asyncio.Task[None]) -> None:
        if self._stopping.get(owner) is task:
            del self._stopping[owner]

    async def until_stopped(self, owner: str) -> None:
        """Wait for an owner's stopping preview: whoever clicks Stop may click Preview at once."""
        if task := self._stopping.get(owner):
            await asyncio.wait({task}, timeout=STOP_SECONDS)


RUNS = Runs()
