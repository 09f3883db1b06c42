"""How fast visitors start streams: a moving window of a minute, in memory or in Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar, cast

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from ..limits import RateLimits, Whose, too_many_starts
from .places import PlaceKeys

logger = logging.getLogger(__name__)

T = TypeVar("T")

LIMIT_SECONDS = 1.0
"""How long a start waits for Redis."""

AWAY_SECONDS = 2.0
"""How long Redis is not asked again after it did not answer."""


class _Rule(NamedTuple):
    item: RateLimitItem
    key: str
    whose: Whose


class StartRates:
    """Counts accepted starts. Belongs to one event loop.

    A fixed window would let twice the limit through around its border; a moving one knows the time
    of each start. While Redis is away nothing is refused here: the event log is in the same Redis,
    so most starts fail for that anyway, and a limit must not be what stops the others.

    Args:
        url: of Redis; empty: in memory, right for one process.
        prefix: of this deployment's keys.
        now: seconds, monotonic.
    """

    def __init__(
        self, limits: RateLimits, *, url: str, prefix: str, now: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._now = now
        self._storage: MemoryStorage | RedisStorage
        self._pool: Any = None
        if not url:
            self._storage = MemoryStorage()
            # Else it looks at all keys at each start, 45 µs a key: `sweep` does that now and then.
            self._storage.timer = cast(Any, asyncio.get_running_loop().create_future())
        else:
            # Imported when it is asked for: redis takes a while, and one process needs none. The
            # pool knows addresses that the library does not, such as one without a port.
            from ..event_log.redis.log import request_pool

            self._pool = request_pool(url)
            self._storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix=f"{prefix}:starts",
                connection_pool=self._pool,
            )
        self._windows = MovingWindowRateLimiter(self._storage)
        self._asks_from = float("-inf")
        self._is_away = False

    async def check(self, keys: PlaceKeys) -> None:
        """Whether a start would be accepted now. Counts nothing.

        Raises:
            Refused: `rate_limited`, with the time until the next start is accepted.
        """
        await self._apply(keys, self._windows.test)

    async def count(self, keys: PlaceKeys) -> None:
        """Count a start; of many at once no more are let through than the limits say.

        Raises:
            Refused: `rate_limited`. It was one too many after all.
        """
        await self._apply(keys, self._windows.hit)

    async def sweep(self) -> None:
        """Let go of keys that nobody has used for a minute. Redis does so by itself."""
        if isinstance(self._storage, MemoryStorage):
            now = time.time()
            for key, newest_first in list(self._storage.events.items()):
                # The library keeps all entries of a key that never rests.
                newest_first[:] = [entry for entry in newest_first if entry.expiry > now]
                if not newest_first:
                    await self._storage.clear(key)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def _apply(
        self, keys: PlaceKeys, accepts: Callable[[RateLimitItem, str], Awaitable[bool]]
    ) -> None:
        rules = self._rules(keys)
        if not rules:
            return
        accepted = await self._ask(
            lambda: asyncio.gather(*(accepts(rule.item, rule.key) for rule in rules))
        )
        if accepted is None or all(accepted):
            return
        waits = [
            (await self._wait_seconds(rule), rule)
            for rule, is_accepted in zip(rules, accepted, strict=True)
            if not is_accepted
        ]
        wait_seconds, rule = max(waits, key=lambda waiting: waiting[0])
        raise too_many_starts(rule.item.amount, rule.whose, wait_seconds=wait_seconds)

    def _rules(self, keys: PlaceKeys) -> list[_Rule]:
        rules = []
        if self._limits.per_owner and keys.owner:
            # Without a session the address stands for the owner.
            whose: Whose = "address" if keys.owner == keys.address else "owner"
            item = RateLimitItemPerMinute(self._limits.per_owner, namespace="owner")
            rules.append(_Rule(item, keys.owner, whose))
        if self._limits.per_address and keys.address:
            item = RateLimitItemPerMinute(self._limits.per_address, namespace="address")
            rules.append(_Rule(item, keys.address, "address"))
        return rules

    async def _wait_seconds(self, rule: _Rule) -> float:
        window = await self._ask(lambda: self._windows.get_window_stats(rule.item, rule.key))
        if window is None:
            return 1.0
        # A start that comes on the very moment would still be refused.
        return max(0.0, window.reset_time - time.time()) + 0.001

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of the storage; None while that is away."""
        if self._now() < self._asks_from:
            return None
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                answer = await ask()
        except Exception as error:
            if not self._is_away:
                name = type(error).__name__
                logger.warning("Starts are not limited by rate: Redis is away (%s).", name)
            self._is_away = True
            self._asks_from = self._now() + AWAY_SECONDS
            return None
        self._is_away = False
        return answer
