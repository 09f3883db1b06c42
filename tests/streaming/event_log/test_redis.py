"""The log in a real Redis: the contract, and what only a log of many processes can get wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import redis

from streaming.event_log.base import LogUnavailable, StaleEpoch, StreamNotFound
from streaming.event_log.redis import RedisEventLog
from tests.contracts.event_log_contract import (
    KEEP_SECONDS,
    STREAM,
    EventLogContract,
    Reader,
    cancelled,
    chunk,
)
from tests.faults.redis_server import REDIS_BINARIES, RedisServer, running_redis

PREFIX = "test"
LEASE_SECONDS = 6.0


class RedisClock:
    """Makes time pass for what Redis holds: everything it will ever expire, or that says when."""

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
            if self._client.type(key) == "hash":
                for field in ("until", "seen"):
                    at = int(self._client.hget(key, field) or 0)
                    self._client.hset(key, field, max(0, at - ms))


@pytest.fixture(scope="module", params=list(REDIS_BINARIES))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis"), request.param) as started:
        yield started


def make(server: RedisServer) -> RedisEventLog:
    return RedisEventLog(server.url, prefix=PREFIX, keep_seconds=KEEP_SECONDS, now=time.monotonic)


@pytest.fixture
def clean(server: RedisServer) -> Iterator[RedisServer]:
    yield server
    server.flush()


class TestRedisEventLog(EventLogContract):
    @pytest.fixture
    async def make_log(self, clean: RedisServer) -> AsyncIterator[RedisEventLog]:
        self.clock = RedisClock(clean.client())
        log = make(clean)
        await log.begin(self.hear)
        yield log
        await log.aclose()
