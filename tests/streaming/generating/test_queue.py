"""A queue in Redis hands streams to workers, even after its connections have died."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from django.contrib.auth.models import User

from blocks.models import BlockType
from streaming.access.visitor import Visitor
from streaming.errors import Refused
from streaming.event_log.base import LogUnavailable
from streaming.generating.queue import Queue
from streaming.models import Stream
from tests.conftest import StartProcess
from tests.support.faults.redis_server import RedisServer, running_redis
from tests.support.streaming.redis_logs import eventually
from tests.support.streaming.viewing import start

PREFIX = "test"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def queue(server: RedisServer) -> AsyncIterator[Queue]:
    made = Queue(server.url, prefix=PREFIX)
    yield made
    await made.aclose()


def waiting(server: RedisServer) -> int:
    return int(server.client().llen(f"{PREFIX}:queue"))  # type: ignore[arg-type]


async def test_what_is_put_waits_for_a_worker_and_reaches_it(
    server: RedisServer, queue: Queue
) -> None:
    taken: list[str] = []

    async def generate(stream_id: str) -> None:
        taken.append(stream_id)

    await queue.put("first")
    assert waiting(server) == 1
    worker = Queue(server.url, prefix=PREFIX, generate=generate)
    working = asyncio.ensure_future(worker.work(at_most=1))
    try:
        await eventually(lambda: taken == ["first"])
        await queue.put("second")
        await eventually(lambda: taken == ["first", "second"])
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await worker.aclose()


async def test_connections_that_died_in_a_quiet_moment_refuse_nothing(
    server: RedisServer, queue: Queue
) -> None:
    await asyncio.gather(*(queue.put(str(number)) for number in range(5)))
    killed = server.client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert isinstance(killed, int)
    assert killed > 0
    idle = queue._sender.connection_pool._available_connections  # type: ignore[attr-defined]
    await eventually(lambda: all(line._reader.at_eof() for line in idle))
    await asyncio.gather(*(queue.put(str(number)) for number in range(5)))
    assert waiting(server) == 10


async def test_an_unreachable_redis_is_unavailable(server: RedisServer, queue: Queue) -> None:
    await queue.put("first")
    server.kill()
    with pytest.raises(LogUnavailable):
        await queue.put("second")
    server.start()
    await queue.put("third")
    assert waiting(server) == 1  # the first died with the killed Redis


async def test_no_more_may_wait_for_a_worker_than_one_process_would_generate(
    server: RedisServer, start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(
        AI_STREAMING_RUNNER="worker", REDIS_URL=server.url, STREAM_MAX_RUNNING=2
    )
    first = (await start(process, block)).feed.stream_id
    await start(process, block)
    with pytest.raises(Refused) as refused:
        await start(process, block)
    assert refused.value.code == "over_capacity"
    assert await Stream.objects.acount() == 2
    await Stream.objects.filter(id=first).aupdate(process="a worker")  # a worker took it
    await start(process, block)


async def test_of_the_streams_that_wait_for_a_worker_anonymous_visitors_have_their_share(
    server: RedisServer, start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(
        AI_STREAMING_RUNNER="worker",
        REDIS_URL=server.url,
        STREAM_MAX_RUNNING=2,
        LIMIT_ANONYMOUS_SHARE=50,
    )
    await start(process, block)
    with pytest.raises(Refused, match="Sign in"):
        await start(process, block)
    ada = await User.objects.acreate(username="ada")
    await start(process, block, user_id=ada.pk)


async def test_of_that_share_the_visitors_of_one_address_have_a_part(
    server: RedisServer, start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(
        AI_STREAMING_RUNNER="worker",
        REDIS_URL=server.url,
        STREAM_MAX_RUNNING=4,
        LIMIT_ANONYMOUS_SHARE=75,
        LIMIT_ANONYMOUS_SHARE_PER_ADDRESS=75,
    )
    school, home = (
        Visitor("anonymous:a", None, "a", address) for address in ("203.0.113.7", "198.51.100.4")
    )
    for _ in range(2):
        await start(process, block, visitor=school)
    with pytest.raises(Refused, match="of your network"):
        await start(process, block, visitor=school)
    await start(process, block, visitor=home)
