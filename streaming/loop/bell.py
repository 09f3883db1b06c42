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
        """Whether it was rung since somebody last waited."""

    def ring(self) -> None:
        future = self._future
        if future is None:
            self.is_rung = True
            return
        self._future = None
        if future.cancelled():  # with the task that waited
            self.is_rung = True
        else:
            future.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """Await what this gives: it is done if the bell was rung since the last `wait`, else when
        it is rung. Safe to cancel.

        No coroutine of its own: that would be one more level to go through for each token.
        """
        future = self._loop.create_future()
        if self.is_rung:
            self.is_rung = False
            future.set_result(None)
        else:
            self._future = future
        return future
