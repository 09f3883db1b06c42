"""Places counted in Redis: one sorted set per key, whose members are scored by expiry time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

HELD_SECONDS = 30.0
"""How long a place is held after its last renewal."""

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
"""

TAKE = (
    _NOW
    + """
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
)
"""ARGV: the limit, ms that a place is held, the member."""

KEEP = (
    _NOW
    + """
for number = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[number]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
)
"""ARGV: ms that a place is held, the members."""


class RedisPlaces:
    """Implements `SharedPlaces`.

    Args:
        run: executes one Redis command.
        prefix: prefix of the Redis keys. They contain a hash of the counted key, because an owner's
            id is a secret.
    """

    def __init__(self, run: Callable[..., Awaitable[Any]], *, prefix: str) -> None:
        self._run = run
        self._prefix = prefix
        self._held_ms = round(HELD_SECONDS * 1000)

    async def take(self, key: str, at_most: int, member: str) -> bool:
        name = self._name(key)
        return bool(await self._run("EVAL", TAKE, 1, name, at_most, self._held_ms, member))

    async def keep(self, members: dict[str, list[str]]) -> None:
        await asyncio.gather(
            *(
                self._run("EVAL", KEEP, 1, self._name(key), self._held_ms, *each)
                for key, each in members.items()
            )
        )

    async def give_back(self, key: str, member: str) -> None:
        await self._run("ZREM", self._name(key), member)

    def _name(self, key: str) -> str:
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return f"{self._prefix}:sockets:{digest}"
