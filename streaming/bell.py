"""A bell: wakes the one task that waits for it, however often it was rung meanwhile."""

from __future__ import annotations

import asyncio


class Bell:
    """Coalescing wake-up for one waiting task; rings are remembered until it waits."""

    __slots__ = ("_future", "_loop", "is_rung")

    def __init__(self) -> None:
        # Asked for once and not for each wait: up to Python 3.11 that is a system call.
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] | None = None
        self.is_rung = False

    def ring(self) -> None:
        self.is_rung = True
        future = self._future
        if future is not None and not future.done():
            future.set_result(None)

    async def wait(self) -> None:
        """Return at once if it was rung since the last `wait`, else when it is. Safe to cancel."""
        if not self.is_rung:
            future = self._future = self._loop.create_future()
            await future
        self.is_rung = False
