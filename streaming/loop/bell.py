"""A coalescing wake-up for one task."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes one waiting task once, however often it rings; a ring before the wait is remembered."""

    __slots__ = ("_future", "_loop", "is_rung")

    def __init__(self) -> None:
        # Looked up once, not for each wait: up to Python 3.11 the lookup makes a system call.
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] | None = None
        self.is_rung = False
        """Whether it rang since the last `wait`."""

    def ring(self) -> None:
        future = self._future
        if future is None:
            self.is_rung = True
            return
        self._future = None
        if future.cancelled():  # the waiting task was cancelled
            self.is_rung = True
        else:
            future.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """Return a future that completes on the next ring, or at once if the bell has rung already.

        Safe to cancel. Not a coroutine, because that would add a stack level for each token.
        """
        future = self._loop.create_future()
        if self.is_rung:
            self.is_rung = False
            future.set_result(None)
        else:
            self._future = future
        return future
