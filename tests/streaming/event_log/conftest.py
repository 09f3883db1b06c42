"""A real Redis, and two logs in it that represent two processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio

from streaming.event_log.base import OnCancel
from tests.support.faults.redis_server import REDIS_BINARIES, RedisServer, running_redis
from tests.support.streaming.redis_logs import ProcessLog, RedisClock

MakeLog = Callable[..., Awaitable[ProcessLog]]


@pytest.fixture(scope="module", params=list(REDIS_BINARIES))
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis"), request.param) as started:
        yield started


@pytest.fixture
def server(shared_server: RedisServer) -> Iterator[RedisServer]:
    """A running, empty Redis, whatever earlier tests have done to it."""
    yield shared_server
    shared_server.cont()
    shared_server.unfill()
    shared_server.flush()


@pytest.fixture
def clock(server: RedisServer) -> RedisClock:
    return RedisClock(server.client())


@pytest_asyncio.fixture
async def make_log(server: RedisServer) -> AsyncIterator[MakeLog]:
    """Create logs in this Redis, or at another `url`; closed at the end."""
    made: list[ProcessLog] = []

    async def make(
        url: str | None = None, *, on_cancel: OnCancel | None = None, **options: str
    ) -> ProcessLog:
        log = ProcessLog(url or server.url, **options)
        made.append(log)
        await log.begin(on_cancel or log.record_intent)
        return log

    yield make
    for log in made:
        await log.aclose()


@pytest_asyncio.fixture
async def here(make_log: MakeLog) -> ProcessLog:
    """The log of the generating process."""
    return await make_log()


@pytest_asyncio.fixture
async def there(make_log: MakeLog) -> ProcessLog:
    """The log of another process."""
    return await make_log()
