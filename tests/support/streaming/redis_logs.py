"""Logs of several processes in one Redis, and a clock for the data in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import redis

from streaming.event_log.redis.log import RedisEventLog
from streaming.event_log.redis.pubsub import _Channel
from streaming.protocol.events import Event
from tests.contracts.event_log_contract import KEEP_SECONDS
from tests.support.streaming.log_reader import STREAM, chunk

PREFIX = "test"


def names(count: int) -> list[str]:
    """Return the ids of this many streams."""
    return [f"{number:022}" for number in range(count)]


def chunks(begin: int, end: int, stream_id: str = STREAM) -> list[Event]:
    """Return the events `begin` to `end` - 1, each with its number as token."""
    return [chunk(seq, str(seq), stream_id) for seq in range(begin, end)]


class ProcessLog(RedisEventLog):
    """The log of one process, which records the cancel intents that it receives."""

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        super().__init__(url, prefix=prefix, keep_seconds=KEEP_SECONDS)
        self.intents: list[tuple[str, str]] = []
        self._intended = asyncio.Event()

    def record_intent(self, stream_id: str, by: str) -> None:
        self.intents.append((stream_id, by))
        self._intended.set()

    async def until_intent(self, stream_id: str) -> None:
        async with asyncio.timeout(20):
            while stream_id not in [intended for intended, _ in self.intents]:
                self._intended.clear()
                await self._intended.wait()

    async def take(self, stream_id: str = STREAM, *, after: int = -1) -> int:
        """Open a stream and take its lease."""
        await self.open(stream_id, after=after)
        epoch = await self.acquire(stream_id)
        assert epoch is not None
        return epoch

    async def append_in_batches(
        self, stream_id: str, epoch: int, events: Sequence[Event], sizes: Callable[[], int]
    ) -> None:
        begin = 0
        while begin < len(events):
            size = sizes()
            await self.append(stream_id, epoch, events[begin : begin + size])
            begin += size


def channel_of(log: ProcessLog, stream_id: str = STREAM) -> _Channel:
    """Return the receiver of a stream's published messages in a log that follows it."""
    return log._pubsub._wanted[log._delivery._channel_of(stream_id)]


class Deaf:
    """Hides a stream's published messages from a subscriber's log, as if Redis lost them."""

    def __init__(self, log: ProcessLog) -> None:
        channel = channel_of(log)
        self._on_message = channel.on_message
        self._lost = asyncio.Event()
        self.is_deaf = True
        channel.on_message = self._take

    async def until_lost(self) -> None:
        await self._lost.wait()

    def _take(self, data: bytes) -> None:
        if self.is_deaf:
            self._lost.set()
        else:
            self._on_message(data)


async def eventually(is_so: Callable[[], bool | Awaitable[bool]], *, seconds: float = 20) -> None:
    """Wait until a condition holds that nothing announces."""
    async with asyncio.timeout(seconds):
        while True:
            answer = is_so()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


class RedisClock:
    """Makes time pass for Redis: every expiry, and every stored time."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    async def advance(self, seconds: float) -> None:
        ms = round(seconds * 1000)
        for key in self._client.scan_iter(f"{PREFIX}:*"):
            left = self._client.pttl(key)
            if left > ms:
                self._client.pexpire(key, left - ms)
            else:
                self._client.delete(key)
            if self._client.type(key) == "zset":
                for member, at in self._client.zscan_iter(key):
                    self._client.zadd(key, {member: at - ms})
            if self._client.type(key) == "hash":
                for field in ("until", "seen"):
                    at = int(self._client.hget(key, field) or 0)
                    self._client.hset(key, field, max(0, at - ms))
