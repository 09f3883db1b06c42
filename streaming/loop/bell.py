"""A coalescing wake-up for one task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


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


class ShortcutBell(Bell):
    """A bell whose waiting task rarely has to wake: `shortcut` does the task's work in the ring.

    Waking a task costs several times as much as writing a few bytes.
    """

    __slots__ = ("shortcut",)

    def __init__(self) -> None:
        super().__init__()
        self.shortcut: Callable[[], bool] | None = None
        """Does all that the waiting task would do now; False: the task must wake and do it. It runs
        only while the task waits. What it raises, the task's `wait` raises."""

    def ring(self) -> None:
        future, shortcut = self._future, self.shortcut
        if future is None or shortcut is None or future.cancelled():
            super().ring()
            return
        try:
            if shortcut():
                return
        except Exception as error:
            self._future = None
            if not future.done():
                future.set_exception(error)
            return
        super().ring()
