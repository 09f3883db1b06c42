"""The next process takes over the streams of a stopping one, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from blocks.models import BlockType
from blocks.providers.base import Provider
from streaming import process as processes
from streaming.models import ServerProcess, Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, StartProcess, scripted
from tests.support.streaming.asking import ask_on_new_socket
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import VISITOR, reached, read, start

SEEN = 4
"""Events that a viewer has before the restart: the start, two words, and `reconnect`."""


@pytest.fixture
def model(models: dict[str, Provider]) -> DictatedProvider:
    """A model whose tokens may be requested before the restart or after it."""
    made = models[MODEL] = DictatedProvider()
    return made


@pytest.fixture
async def first(start_process: StartProcess, model: DictatedProvider) -> Process:
    return await start_process(STREAM_DRAIN_SECONDS=0.05)


async def leave(process: Process, reading: asyncio.Task[Tape]) -> Tape:
    """Drain and end the process; return its viewer's events."""
    await process.drain()
    tape = await reading
    assert tape.types[-1] == "reconnect"
    await processes.stop()
    return tape


async def leave_in_mid_answer(
    process: Process, block: BlockType, model: DictatedProvider
) -> tuple[str, Tape]:
    """End a process after a stream's second token; return the stream's id and a viewer's events."""
    feed = (await start(process, block)).feed
    reading = asyncio.ensure_future(read(process, feed))
    model.say("The ", "sky ")
    await reached(feed, 1)
    return feed.stream_id, await leave(process, reading)


async def test_a_viewer_that_comes_back_gets_the_rest_and_nothing_twice(
    start_process: StartProcess, first: Process, block: BlockType, model: DictatedProvider
) -> None:
    stream_id, tape = await leave_in_mid_answer(first, block, model)
    assert await ServerProcess.objects.acount() == 0

    process = await start_process()
    feed = await process.manager.watch(stream_id, VISITOR.owner)
    model.say("is ", "blue")
    model.finish()
    await read(process, feed, tape)
    assert tape.types[SEEN:] == ["start", "chunk", "chunk", "complete"]
    assert [event["seq"] for event in tape.events[SEEN + 1 :]] == [2, 3, 4]
    assert tape.text == "The sky is blue"
    assert [request.so_far for request in model.requests] == ["", "The sky "]
    row = await Stream.objects.aget()
    assert (row.text, row.terminal, row.recoveries) == ("The sky is blue", tape.terminal, 0)

    # A viewer without a cursor: the log begins where this process did.
    other = await read(process, feed)
    assert other.types == ["start", "snapshot", "complete"]
    assert other.text == "The sky is blue"
    assert other.terminal == tape.terminal


async def test_who_comes_back_late_gets_all_that_was_said_meanwhile(
    start_process: StartProcess, first: Process, block: BlockType, model: DictatedProvider
) -> None:
    stream_id, tape = await leave_in_mid_answer(first, block, model)
    process = await start_process()
    model.say("is ", "blue")
    async with asyncio.timeout(20):
        while (await Stream.objects.aget()).seq < 3:
            await process.generations.saver.flush()
    again = await process.manager.watch(stream_id, VISITOR.owner)
    model.finish()
    await read(process, again, tape)
    assert tape.types[SEEN:] == ["start", "chunk", "chunk", "complete"]
    later = Tape()
    later.cursor = 2
    later.state.seq = 2
    await read(process, again, later)
    assert later.types == ["start", "chunk", "complete"]


async def test_restarts_are_no_deaths_however_many(
    start_process: StartProcess, first: Process, block: BlockType, model: DictatedProvider
) -> None:
    process, tape = first, Tape()
    stream_id = (await start(process, block)).feed.stream_id
    for number in range(6):
        feed = await process.manager.watch(stream_id, VISITOR.owner)
        reading = asyncio.ensure_future(read(process, feed, tape))
        model.say(f"{number} ")
        await reached(feed, number)
        await leave(process, reading)
        process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    model.finish()
    await read(process, await process.manager.watch(stream_id, VISITOR.owner), tape)
    assert "snapshot" not in tape.types
    assert tape.text == "0 1 2 3 4 5 "
    assert tape.types[-2:] == ["start", "complete"]
    assert (await Stream.objects.aget()).recoveries == 0


async def test_an_answer_that_starts_again_says_so_in_its_order(
    start_process: StartProcess,
    first: Process,
    make_block: MakeBlock,
    model: DictatedProvider,
) -> None:
    stream_id, tape = await leave_in_mid_answer(
        first, await make_block(on_generator_lost="restart"), model
    )
    process = await start_process()
    feed = await process.manager.watch(stream_id, VISITOR.owner)
    model.say("Blue")
    model.finish()
    await read(process, feed, tape)
    assert tape.types[SEEN:] == ["start", "reset", "chunk", "complete"]
    assert tape.events[SEEN + 1]["reason"] == "recovered"
    assert tape.text == "Blue"


async def test_an_answer_in_one_piece_comes_whole_after_the_restart(
    start_process: StartProcess, first: Process, block: BlockType, models: dict[str, Provider]
) -> None:
    provider = scripted("The ", {"hang": True})
    first.providers.use(MODEL, provider)
    started = await start(first, block, streaming=False)
    await provider.until(lambda p: p.calls_open == 1)
    reading = asyncio.ensure_future(read(first, started.feed))
    await asyncio.sleep(0)
    tape = await leave(first, reading)
    models[MODEL] = scripted("The ", "sky")
    process = await start_process()
    feed = await process.manager.watch(started.feed.stream_id, VISITOR.owner)
    await read(process, feed, tape)
    assert tape.types == ["start", "reconnect", "start", "chunk", "complete"]
    assert tape.text == "The sky"


async def test_who_comes_back_before_a_stream_is_taken_up_waits_and_loses_nothing(
    start_process: StartProcess,
    first: Process,
    block: BlockType,
    model: DictatedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process takes over many streams in batches."""
    stream_id, tape = await leave_in_mid_answer(first, block, model)
    with monkeypatch.context() as patch:
        patch.setattr(Process, "_recover", lambda self: asyncio.sleep(0))
        process = await start_process()
    feed = await process.manager.watch(stream_id, VISITOR.owner)
    assert process.hub.polled_feeds() == [feed]
    assert (await process.manager.finder.describe(feed))["seq"] == 1
    reading = asyncio.ensure_future(read(process, feed, tape))
    await asyncio.sleep(0)
    await process.recovery.look(process.liveness.find_orphans, process.recovery.take_over)
    await process.manager.finder.poll()
    assert process.hub.polled_feeds() == []
    model.say("is blue")
    model.finish()
    await reading
    assert tape.types[SEEN:] == ["start", "chunk", "complete"]
    assert tape.text == "The sky is blue"


async def test_a_socket_goes_on_over_the_restart(
    start_process: StartProcess,
    first: Process,
    block: BlockType,
    model: DictatedProvider,
    make_browser: Any,
) -> None:
    browser = await make_browser()
    socket, stream_id = await ask_on_new_socket(browser)
    model.say("The ", "sky ")
    await socket.text_of(stream_id, "The sky ")
    await first.drain()
    await socket.until("reconnect", stream_id=stream_id)
    assert await socket.closed() == 1012
    await socket.aclose()
    await processes.stop()

    await start_process()
    again = await browser.connect()
    tape = again.tapes[stream_id] = socket.tape(stream_id)
    tape.begin_again()
    await again.say(type="resume", ref="a", stream_id=stream_id, after=tape.cursor)
    model.say("is blue")
    model.finish()
    assert (await again.end_of(stream_id))["type"] == "complete"
    assert "snapshot" not in tape.types
    assert tape.text == "The sky is blue"


async def test_fifty_streams_that_are_left_all_go_on(
    start_process: StartProcess, first: Process, block: BlockType, models: dict[str, Provider]
) -> None:
    first.providers.use(MODEL, scripted("The ", "sky ", {"hang": True}))
    started = [await start(first, block) for _ in range(50)]
    reading = [asyncio.ensure_future(read(first, one.feed)) for one in started]
    for one in started:
        await reached(one.feed, 1)
    await first.drain()
    tapes = await asyncio.gather(*reading)
    assert {tape.types[-1] for tape in tapes} == {"reconnect"}
    await processes.stop()
    assert await Stream.objects.filter(process="", seq=1, text="The sky ").acount() == 50

    models[MODEL] = scripted("The ", "sky ", "is ", "blue")
    process = await start_process()

    async def come_back(stream_id: str, tape: Tape) -> None:
        feed = await process.manager.watch(stream_id, VISITOR.owner)
        await read(process, feed, tape)

    await asyncio.gather(
        *(come_back(one.feed.stream_id, tape) for one, tape in zip(started, tapes, strict=True))
    )
    for tape in tapes:
        assert tape.types[SEEN:] == ["start", "chunk", "chunk", "complete"]
        assert tape.text == "The sky is blue"
        assert tape.terminal is not None
        assert tape.terminal["seq"] == 4
