"""The end of a process: what runs may end, what does not is ended, and everybody is told."""

from __future__ import annotations

import asyncio

import pytest

from blocks.models import BlockType
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MakeBlock, Play, StartProcess, scripted
from tests.streaming.viewing import reached, read, start


async def test_what_ends_in_time_completes_and_the_rest_is_shutting_down(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.3)
    process.providers.use("scripted:short", scripted("The ", {"pause_ms": 50}, "sky"))
    endless = scripted("The ", {"hang": True})
    process.providers.use("scripted:endless", endless)
    blocks = [
        await make_block("short", model="scripted:short"),
        await make_block("endless", model="scripted:endless"),
    ]
    started = [await start(process, block) for block in blocks for _ in range(5)]
    reading = [asyncio.ensure_future(read(process, one.feed)) for one in started]
    for one in started:
        await reached(one.feed, 0)
    await process.drain()
    tapes = await asyncio.gather(*reading)
    ends = [tape.terminal for tape in tapes]
    assert all(end is not None for end in ends)
    assert [end and end["type"] for end in ends[:5]] == ["complete"] * 5
    assert [end and end.get("code") for end in ends[5:]] == ["shutting_down"] * 5
    assert [end and end.get("retryable") for end in ends[5:]] == [True] * 5
    assert endless.calls_open == 0
    assert await Stream.objects.filter(ended_at__isnull=True).acount() == 0


async def test_starts_are_refused_while_what_runs_can_be_watched_and_cancelled(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=20)
    process.providers.use("scripted:endless", scripted("The ", {"hang": True}))
    block = await make_block(model="scripted:endless")
    started = await start(process, block)
    await reached(started.feed, 0)
    draining = asyncio.ensure_future(process.drain())
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await start(process, block)
    assert refused.value.code == "shutting_down"
    assert refused.value.retry_after_seconds
    late = asyncio.ensure_future(read(process, started.feed))
    await process.manager.cancel(started.feed.stream_id, None, by="owner")
    async with asyncio.timeout(10):
        await draining  # nothing is left: it does not sit out its twenty seconds
    tape = await late
    assert tape.terminal is not None
    assert tape.terminal["type"] == "cancelled"


async def test_the_watchers_of_nothing_that_ends_are_told_to_come_back(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    process._dismiss()
    tape = await read(process, started.feed)
    assert tape.types == ["start", "chunk", "reconnect"]
    assert tape.terminal is None


async def test_stopping_a_process_leaves_no_row_running(
    process: Process, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    started = [await start(process, block) for _ in range(10)]
    for one in started:
        await reached(one.feed, 0)
    await process.manager.aclose()
    assert provider.calls_open == 0
    rows = [row async for row in Stream.objects.all()]
    assert [row.terminal["code"] for row in rows] == ["shutting_down"] * 10
