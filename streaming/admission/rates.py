"""Rate limits on starts: moving windows of a minute and an hour, in memory or in Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar, cast

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from ..limits import Subjects, Whose
from ..loop.fair_timeout import fair_timeout
from .texts import Span, too_many_starts
from .windows import MemoryWindows, RedisWindows, Window, Windows

logger = logging.getLogger(__name__)

T = TypeVar("T")

LIMIT_SECONDS = 1.0
"""How long a start waits for Redis."""

SKIP_SECONDS = 2.0
"""How long to skip Redis after it failed to answer."""


class _Rule(NamedTuple):
    item: RateLimitItem
    key: str
    whose: Whose
    span: Span


class StartRates:
    """Counts accepted starts. Belongs to one event loop.

    A fixed window would admit twice the limit around its boundary; a moving window stores the time
    of each start. While Redis is unreachable, nothing is refused here. The event log uses the same
    Redis, so most starts fail anyway, and a rate limit must not stop the rest.

    Args:
        url: Redis URL; empty: in memory, which suits a single process.
        prefix: prefix of this deployment's keys.
        now: seconds, monotonic.
    """

    def __init__(self, *, url: str, prefix: str, now: Callable[[], float]) -> None:
        self._now = now
        self._storage: MemoryStorage | RedisStorage
        self._pool: Any = None
        if not url:
            self._storage = MemoryStorage()
            # Disables the library's scan of all keys on every start, which takes 45 µs per key.
            # `sweep` does that work periodically.
            self._storage.timer = cast(Any, asyncio.get_running_loop().create_future())
            self._together: Windows = MemoryWindows(self._storage)
        else:
            # Imported lazily: importing redis is slow, and a single process needs none. The pool
            # accepts URLs that the library rejects, such as one without a port.
            from ..event_log.redis.connections import request_pool

            self._pool = request_pool(url)
            self._storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix=f"{prefix}:starts",
                connection_pool=self._pool,
            )
            self._together = RedisWindows(self._storage)
        self._windows = MovingWindowRateLimiter(self._storage)
        self._asks_from = float("-inf")
        self._is_unreachable = False

    async def check(self, subjects: Subjects) -> None:
        """Check that a start would be accepted now, without counting it.

        Raises:
            Refused: `rate_limited`, with the time until a start is accepted again.
        """
        await self._apply(subjects, self._test_all)

    async def count(self, subjects: Subjects) -> None:
        """Count a start; concurrent starts can't exceed the limits.

        A refused start does not count towards any limit: otherwise one owner's starts could use up
        the rate of an address, or a busy address that of its visitors.

        Raises:
            Refused: `rate_limited`: other starts have reached the limit since `check`.
        """
        await self._apply(subjects, self._hit_all)

    async def seconds_to_wait(self, item: RateLimitItem, key: str) -> float | None:
        """Count something else than a start, by a rate of its own.

        Returns:
            None if it is within the rate, or Redis can't be reached; otherwise the time until it
            would be. It is then not counted.
        """
        if await self._ask(lambda: self._windows.hit(item, key)) in (True, None):
            return None
        return await self._wait_seconds(_Rule(item, key, "owner", "hour"))

    async def started(self, subjects: Subjects) -> list[tuple[Whose, Span, int, int]]:
        """Return how many starts count towards each limit now, and the limit.

        Limits are missing while Redis is unreachable.
        """
        found = []
        for rule in _rules_of(subjects):
            window = await self._ask(partial(self._windows.get_window_stats, rule.item, rule.key))
            if window is not None:
                limit = rule.item.amount
                found.append((rule.whose, rule.span, limit - window.remaining, limit))
        return found

    async def sweep(self) -> None:
        """Drop keys that were unused for their span. Redis expires them itself."""
        if isinstance(self._storage, MemoryStorage):
            now = time.time()
            for key, newest_first in list(self._storage.events.items()):
                # The library never drops the old entries of a constantly used key.
                newest_first[:] = [entry for entry in newest_first if entry.expiry > now]
                if not newest_first:
                    await self._storage.clear(key)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def _test_all(self, rules: list[_Rule]) -> list[bool]:
        if self._pool is None:  # a task for each would cost more than the tests
            return [await self._windows.test(rule.item, rule.key) for rule in rules]
        return await asyncio.gather(*(self._windows.test(rule.item, rule.key) for rule in rules))

    async def _hit_all(self, rules: list[_Rule]) -> list[bool]:
        return await self._together.hit_all([Window(rule.item, rule.key) for rule in rules])

    async def _apply(
        self, subjects: Subjects, ask: Callable[[list[_Rule]], Awaitable[list[bool]]]
    ) -> None:
        rules = _rules_of(subjects)
        if not rules:
            return
        accepted = await self._ask(lambda: ask(rules))
        if accepted is None or all(accepted):
            return
        waits = [
            (await self._wait_seconds(rule), rule)
            for rule, is_accepted in zip(rules, accepted, strict=True)
            if not is_accepted
        ]
        wait_seconds, rule = max(waits, key=lambda waiting: waiting[0])
        raise too_many_starts(rule.item.amount, rule.span, rule.whose, wait_seconds=wait_seconds)

    async def _wait_seconds(self, rule: _Rule) -> float:
        window = await self._ask(lambda: self._windows.get_window_stats(rule.item, rule.key))
        if window is None:
            return 1.0
        # A start at exactly the reset time would still be refused.
        return max(0.0, window.reset_time - time.time()) + 0.001

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Return the storage's answer; None while it is unreachable."""
        if self._pool is None:
            return await ask()  # memory answers at once
        if self._now() < self._asks_from:
            return None
        try:
            async with fair_timeout(LIMIT_SECONDS):
                answer = await ask()
        except Exception as error:
            if not self._is_unreachable:
                name = type(error).__name__
                logger.warning("Start rates are not limited: Redis can't be reached (%s).", name)
            self._is_unreachable = True
            self._asks_from = self._now() + SKIP_SECONDS
            return None
        self._is_unreachable = False
        return answer


def _rules_of(subjects: Subjects) -> list[_Rule]:
    rules = []
    for subject in subjects:
        allowed, whose = subject.allowance, subject.shown
        if allowed.starts_per_minute:
            item = _item(RateLimitItemPerMinute, allowed.starts_per_minute, subject.whose)
            rules.append(_Rule(item, subject.key, whose, "minute"))
        if allowed.starts_per_hour:
            hourly = _item(RateLimitItemPerHour, allowed.starts_per_hour, subject.whose)
            rules.append(_Rule(hourly, subject.key, whose, "hour"))
    return rules


@lru_cache(maxsize=1024)  # starts have few different rates; each looks at them twice
def _item(kind: type[RateLimitItem], amount: int, whose: Whose) -> RateLimitItem:
    return kind(amount, namespace=whose)
