"""A real Redis, and two guarded channel layers on it that represent two processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from streaming.channel_layer.guard import GuardedChannelLayer
from tests.support.faults.redis_server import RedisServer, running_redis
from tests.support.streaming.group_member import layer_on

MakeLayer = Callable[[], GuardedChannelLayer]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest_asyncio.fixture
async def make_layer(redis_server: RedisServer) -> AsyncIterator[MakeLayer]:
    """Create layers of several processes."""
    made: list[GuardedChannelLayer] = []

    def make() -> GuardedChannelLayer:
        made.append(layer_on(redis_server))
        return made[-1]

    yield make
    for layer in made:
        await layer.flush()


@pytest.fixture
def here(make_layer: MakeLayer) -> GuardedChannelLayer:
    return make_layer()


@pytest.fixture
def elsewhere(make_layer: MakeLayer) -> GuardedChannelLayer:
    return make_layer()


@pytest.fixture
def in_memory() -> GuardedChannelLayer:
    return GuardedChannelLayer(inner={"BACKEND": "channels.layers.InMemoryChannelLayer"})
