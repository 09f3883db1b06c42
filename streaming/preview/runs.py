"""The running previews of a process, by owner."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..loop.tasks import Tasks

STOP_SECONDS = 1.0
"""How long a preview waits for its owner's last one to stop. A browser that stops one and starts
the next uses two connections, so the start may arrive first."""


class Runs:
    """Keeps the tasks of previews."""

    def __init__(self) -> None:
        self._tasks = Tasks()
        self._of_owners: dict[str, asyncio.Task[None]] = {}

    def start(self, owner: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start an owner's preview."""
        task = self._of_owners[owner] = self.keep(work)
        task.add_done_callback(lambda _: self._forget(owner, task))
        return task

    def keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start what must not end with a preview."""
        return self._tasks.start(work)

    def _forget(self, owner: str, task: asyncio.Task[None]) -> None:
        if self._of_owners.get(owner) is task:
            del self._of_owners[owner]

    async def until_stopped(self, owner: str) -> None:
        """Wait until an owner's preview has ended, or `STOP_SECONDS` have passed."""
        if task := self._of_owners.get(owner):
            await asyncio.wait({task}, timeout=STOP_SECONDS)


RUNS = Runs()
