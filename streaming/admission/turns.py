"""Turns: a limit on the concurrent work of one visitor or address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from ..errors import Refused
from ..loop.log_ids import fresh_context
from ..loop.uncut import uncut

T = TypeVar("T")

TURNS_AT_MOST = 4
"""Concurrent commands of one address, over all of its sockets.

They share one database thread, so more would not be faster, and others would wait behind them.
"""

FINDS_AT_MOST = 16
"""Streams looked up at a time for event streams. After a restart all viewers return: they wait."""


_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


class Turns:
    """Runs at most `at_most` pieces of work per key at once; others of that key wait in order.

    This keeps a visitor with many sockets, at once or in succession, from filling the queue of a
    shared thread.
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._places: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    async def run(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run work when its turn comes, and return its result.

        A caller cancelled while waiting takes no turn. Work that has started completes despite a
        cancellation, and keeps its turn until then.

        Raises:
            RuntimeError: the caller has a turn. Such callers could wait for each other forever.
        """
        if _has_turn.get():
            raise RuntimeError("Work that has a turn must not wait for another one.")
        places = self._places.setdefault(key, asyncio.Semaphore(self._at_most))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await places.acquire()
        except BaseException:
            self._leave(key)
            raise
        loop = asyncio.get_running_loop()
        context = fresh_context()
        context.run(_has_turn.set, True)
        task = loop.create_task(make(), context=context)

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
