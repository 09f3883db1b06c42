"""Counts one event in several moving windows of the library `limits`: in all of them, or in none.

The library counts in one window at a time. Whoever counts in one after the other leaves a trace in
those before the one that refuses, or in the middle of it, if the process dies.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage

HIT_ALL = """
-- KEYS: the windows, lists of times with the newest first, as acquire_moving_window.lua of the
-- library has them. ARGV: the time, then the limit and the seconds of each window.
-- Returns 1 for each window with room, else 0. Counts only if all have room.
local now, has_room, have_room = tonumber(ARGV[1]), {}, true
for i, key in ipairs(KEYS) do
    local limit, seconds = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    local oldest = redis.call('lindex', key, limit - 1)
    has_room[i] = 1
    if oldest and tonumber(oldest) >= now - seconds then
        has_room[i], have_room = 0, false
    end
end
if have_room then
    for i, key in ipairs(KEYS) do
        redis.call('lpush', key, now)
        redis.call('ltrim', key, 0, ARGV[2 * i] - 1)
        redis.call('expire', key, ARGV[2 * i + 1])
    end
end
return has_room
"""


class Window(NamedTuple):
    item: RateLimitItem
    key: str

    @property
    def name(self) -> str:
        return self.item.key_for(self.key)


class Windows(ABC):
    """Moving windows in one place. Belongs to one event loop."""

    @abstractmethod
    async def hit_all(self, windows: Sequence[Window]) -> list[bool]:
        """Count an event in all of these windows if all have room, else in none. Atomic.

        Returns:
            Which of them have room.
        """


class MemoryWindows(Windows):
    """Windows of one process."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self._lock = asyncio.Lock()

    async def hit_all(self, windows: Sequence[Window]) -> list[bool]:
        async with self._lock:
            hits = [await self._hit(window) for window in windows]
            if not all(hits):
                for window, is_hit in zip(windows, hits, strict=True):
                    if is_hit:
                        del self._storage.events[window.name][0]  # the newest comes first
            return hits

    async def _hit(self, window: Window) -> bool:
        item = window.item
        return await self._storage.acquire_entry(window.name, item.amount, item.get_expiry())


class RedisWindows(Windows):
    """Windows that processes share."""

    def __init__(self, storage: RedisStorage) -> None:
        bridge: Any = storage.bridge  # its type does not tell of its connection
        self._prefixed = bridge.prefixed_key
        self._hit_all = bridge.get_connection().register_script(HIT_ALL)

    async def hit_all(self, windows: Sequence[Window]) -> list[bool]:
        names = [self._prefixed(window.name) for window in windows]
        values: list[float] = [time.time()]
        for window in windows:
            values += (window.item.amount, window.item.get_expiry())
        return [bool(has_room) for has_room in await self._hit_all(names, values)]
