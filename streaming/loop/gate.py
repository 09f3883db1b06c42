"""An event that many tasks may wait for, in little memory."""

from __future__ import annotations

import asyncio


class Gate:
    """Does what `asyncio.Event` does.

    That one holds an empty queue of 700 bytes while nobody waits, and an idle connection has
    several events.
    """

    __slots__ = ("_is_open", "_waiters")

    def __init__(self, *, is_open: bool = False) -> None:
        self._is_open = is_open
        self._waiters: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        return self._is_open

    def set(self) -> None:
        """Open it, and wake all waiting tasks."""
        self._is_open = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        self._is_open = False

    async def wait(self) -> None:
        """Wait until it is open. Safe to cancel."""
        if self._is_open:
            return
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if self._waiters is not None and waiter in self._waiters:  # cancelled
                self._waiters.remove(waiter)
