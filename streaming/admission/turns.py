"""Turns: how much one visitor, or one address, may have under way at once."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import Refused
from ..loop.uncut import uncut

T = TypeVar("T")


class Turns:
    """At most `at_most` at once for each key; the others of that key wait, in their order.

    Keeps a visitor with many sockets, or who opens one after the other, from filling the queue of a
    thread that all share.
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._places: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    async def run(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something when its turn has come.

        Who is cancelled while waiting for the turn takes none. Work that has begun is carried out,
        and has its turn until it is done.
        """
        places = self._places.setdefault(key, asyncio.Semaphore(self._at_most))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await places.acquire()
        except BaseException:
            self._leave(key)
            raise
        loop = asyncio.get_running_loop()
        task = loop.create_task(make(), context=contextvars.Context())

        def give_back(_: asyncio.Task[T]) -> None:
            places.release()
            self._leave(key)

        task.add_done_callback(give_back)
        return await uncut(task, expected=Refused)

    def _leave(self, key: str) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key], self._places[key]

    def __len__(self) -> int:
        return len(self._places)
