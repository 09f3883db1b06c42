"""Starts: bursts wait for the database, and repeated starts attach where new ones are refused."""

from __future__ import annotations

import asyncio
import threading

import pytest

from blocks.models import BlockType
from streaming.database.thread import QUERIES_AT_MOST
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.viewing import start


async def test_a_burst_of_starts_waits_for_a_slow_database(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    is_free = threading.Event()
    held = asyncio.create_task(process.writes.run(is_free.wait, 20))
    starts = [asyncio.create_task(start(process, block)) for _ in range(3 * QUERIES_AT_MOST)]
    await asyncio.sleep(0)
    is_free.set()
    async with asyncio.timeout(20):
        started = await asyncio.gather(held, *starts)
    assert len({one.feed.stream_id for one in started[1:]}) == 3 * QUERIES_AT_MOST
    assert await Stream.objects.acount() == 3 * QUERIES_AT_MOST


@pytest.mark.parametrize(
    "limit",
    ["STREAM_MAX_RUNNING", "LIMIT_RUNNING_PER_OWNER", "LIMIT_STARTS_PER_MINUTE"],
)
async def test_a_repeated_start_attaches_where_a_new_one_is_refused(
    start_process: StartProcess, block: BlockType, limit: str
) -> None:
    process = await start_process(**{limit: 1})
    process.providers.use(MODEL, scripted({"hang": True}))
    request_id = new_request_id()
    first = await start(process, block, request_id=request_id)
    assert process.generations.crowd.anonymous == 1
    with pytest.raises(Refused):
        await start(process, block, request_id=new_request_id())
    again = await start(process, block, request_id=request_id)
    assert (again.feed.stream_id, again.is_new) == (first.feed.stream_id, False)
    assert await Stream.objects.acount() == 1


async def test_the_anonymous_are_counted_while_they_run(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    feeds = [(await start(process, block)).feed for _ in range(3)]
    for feed in feeds:
        await feed.ended()
    await process.generations.ended(20)
    assert process.generations.crowd.anonymous == 0
