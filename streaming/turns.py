"""Turns: how much one visitor, or one address, may have under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `at_most` at once for each key; the others of that key wait, in their order.

    Keeps a visitor with many sockets from filling the queue of a thread that all share.
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._places: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold a turn while this holds. Safe to cancel, also while waiting."""
        places = self._places.setdefault(key, asyncio.Semaphore(self._at_most))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with places:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._places[key]

    def __len__(self) -> int:
        return len(self._places)
