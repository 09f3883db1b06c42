"""A queue in little memory."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from .gate import Gate

T = TypeVar("T")


class SmallQueue(Generic[T]):
    """Does what `asyncio.Queue` does for one reader.

    That one holds four empty queues, 2.5 KB, and an idle socket has several of them.

    Args:
        at_most: number of items that it may hold; 0: any number.
    """

    __slots__ = ("_at_most", "_items", "_reader", "_room")

    def __init__(self, at_most: int = 0) -> None:
        self._at_most = at_most
        self._items: deque[T] | None = None
        self._reader: asyncio.Future[None] | None = None  # waits for an item
        self._room: Gate | None = None  # opens when a full queue has room again

    def empty(self) -> bool:
        return not self._items

    def full(self) -> bool:
        return 0 < self._at_most <= len(self._items or ())

    def put_nowait(self, item: T) -> None:
        """Add an item.

        Raises:
            asyncio.QueueFull
        """
        if self.full():
            raise asyncio.QueueFull
        if self._items is None:
            self._items = deque()
        self._items.append(item)
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)

    async def put(self, item: T) -> None:
        """Add an item; waits while the queue is full. Safe to cancel: then nothing is added."""
        while self.full():
            if self._room is None:
                self._room = Gate()
            await self._room.wait()
        self.put_nowait(item)

    def get_nowait(self) -> T:
        """Remove and return the oldest item.

        Raises:
            asyncio.QueueEmpty
        """
        if not self._items:
            raise asyncio.QueueEmpty
        item = self._items.popleft()
        if not self._items:
            self._items = None
        if self._room is not None:
            room, self._room = self._room, None
            room.set()
        return item

    async def get(self) -> T:
        """Remove and return the oldest item; waits for one. Safe to cancel: then none is lost.

        Raises:
            RuntimeError: another task waits for an item.
        """
        while not self._items:
            if self._reader is not None and not self._reader.done():
                raise RuntimeError("another task reads this queue")
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self.get_nowait()
