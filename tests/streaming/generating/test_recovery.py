"""A process is killed in mid-answer; the next process continues the answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from blocks.models import BlockType
from blocks.providers.base import Provider
from streaming.models import ServerProcess, Stream
from streaming.process import Process
from streaming.watching.hub import Feed
from tests.conftest import MODEL, MakeBlock, StartProcess, scripted
from tests.support.blocks.quiz import QUIZ
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import MAX_EVENTS, kill, read_to
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import VISITOR, reached, read, start

pytestmark = pytest.mark.usefixtures("no_clockwork")

MARK = MAX_EVENTS - 1
SEEN = 4
"""Events that a viewer has before the death: the start, and three words."""


@pytest.fixture
def model(models: dict[str, Provider]) -> DictatedProvider:
    """A model whose tokens may be requested before a death or after it."""
    made = models[MODEL] = DictatedProvider()
    return made


async def begin(process: Process, block: BlockType, model: DictatedProvider) -> tuple[Feed, Tape]:
    """Start a stream whose row has `The sky `, and a viewer who has one word more."""
    started = await start(process, block)
    model.say("The ", "sky ")
    await reached(started.feed, 1)
    assert await process.generations.saver.flush()
    model.say("was ")
    tape = await read_to(process, started.feed, 2)
    assert (tape.text, tape.cursor) == ("The sky was ", 2)
    return started.feed, tape


async def go_on(process: Process, feed: Feed, tape: Tape | None = None) -> asyncio.Task[Tape]:
    """Reconnect a viewer with its cursor; return once its immediate events were sent."""
    again = await process.manager.watch(feed.stream_id, VISITOR.owner)
    reading = asyncio.ensure_future(read(process, again, tape))
    for _ in range(5):
        await asyncio.sleep(0)
    return reading


async def test_an_answer_goes_on_from_the_text_in_its_row(
    start_process: StartProcess, block: BlockType, model: DictatedProvider
) -> None:
    process = await start_process()
    feed, tape = await begin(process, block, model)
    before = await Stream.objects.aget()
    await kill(process)

    process = await start_process()
    reading = await go_on(process, feed, tape)
    model.say("is ", "blue")
    model.finish()
    await reading
    assert tape.types[SEEN:] == ["start", "snapshot", "chunk", "chunk", "complete"]
    _, snapshot, *rest = tape.events[SEEN:]
    assert (snapshot["text"], snapshot["status"]) == ("The sky ", "running")
    assert snapshot["seq"] == MARK  # above everything that the dead process can have delivered
    assert [event["seq"] for event in rest] == [MARK + 1, MARK + 2, MARK + 3]
    assert tape.text == "The sky is blue"

    assert [request.so_far for request in model.requests] == ["", "The sky "]
    row = await Stream.objects.aget()
    assert (row.status, row.text, row.terminal) == ("complete", "The sky is blue", tape.terminal)
    assert (row.recoveries, row.process) == (1, process.liveness.process_id)
    assert (row.started_at, row.ttft_ms) == (before.started_at, before.ttft_ms)
    assert row.mark >= MARK + MAX_EVENTS
    assert await ServerProcess.objects.acount() == 1


async def test_somebody_who_comes_first_after_the_death_gets_the_whole_answer(
    start_process: StartProcess, block: BlockType, model: DictatedProvider
) -> None:
    process = await start_process()
    feed, _ = await begin(process, block, model)
    await kill(process)
    process = await start_process()
    reading = await go_on(process, feed)
    model.say("is blue")
    model.finish()
    tape = await reading
    assert tape.types == ["start", "snapshot", "chunk", "complete"]
    assert tape.text == "The sky is blue"


@pytest.mark.parametrize("why", ["the provider can't", "the block starts again"])
async def test_an_answer_that_can_t_go_on_starts_again_and_says_so(
    start_process: StartProcess, make_block: MakeBlock, models: dict[str, Provider], why: str
) -> None:
    can_continue = why != "the provider can't"
    model = models[MODEL] = DictatedProvider(can_continue=can_continue)
    block = await make_block(on_generator_lost="restart" if can_continue else "")
    process = await start_process()
    feed, tape = await begin(process, block, model)
    await kill(process)
    process = await start_process()
    reading = await go_on(process, feed, tape)
    model.say("It is ", "blue")
    model.finish()
    await reading
    assert tape.types[SEEN:] == ["start", "snapshot", "chunk", "chunk", "complete"]
    assert tape.text == "It is blue"
    assert [request.so_far for request in model.requests] == ["", ""]
    reset, *_ = await process.log.read(feed.stream_id)  # viewers get it in their snapshot
    assert (reset.type, reset.seq, reset.fields["reason"]) == ("reset", MARK + 1, "recovered")
    row = await Stream.objects.aget()
    assert (row.status, row.text) == ("complete", "It is blue")


async def test_a_quiz_starts_again(
    start_process: StartProcess, make_block: MakeBlock, models: dict[str, Provider]
) -> None:
    said = json.dumps(QUIZ)
    models[MODEL] = scripted(said[: said.index("explanation")], {"hang": True})
    block = await make_block(output="quiz")
    process = await start_process()
    started = await start(process, block)
    await reached(started.feed, 0)
    assert await process.generations.saver.flush()
    row = await Stream.objects.aget()
    assert row.items
    await kill(process)

    second = models[MODEL] = scripted({"json": QUIZ})
    process = await start_process()
    feed = await process.manager.watch(started.feed.stream_id, VISITOR.owner)
    tape = await read(process, feed)
    assert tape.types[:2] == ["start", "snapshot"]
    assert tape.terminal is not None
    assert tape.terminal["type"] == "complete"
    assert len(tape.state.items) == 4  # the title, three questions
    assert len(tape.terminal["result"]["questions"]) == 3
    assert [request.so_far for request in second.requests] == [""]
    reset, *_ = await process.log.read(feed.stream_id)
    assert (reset.type, reset.seq, reset.fields["reason"]) == ("reset", MARK + 1, "recovered")


async def test_a_block_that_wants_no_second_generator_ends_as_lost_with_its_text(
    start_process: StartProcess, make_block: MakeBlock, model: DictatedProvider
) -> None:
    process = await start_process()
    feed, tape = await begin(process, await make_block(on_generator_lost="fail"), model)
    await kill(process)
    process = await start_process()
    await (await go_on(process, feed, tape))
    assert tape.types[SEEN:] == ["start", "snapshot", "error"]
    assert tape.terminal is not None
    assert (tape.terminal["code"], tape.terminal["retryable"]) == ("generator_lost", True)
    assert tape.terminal["seq"] == MARK + 1
    assert tape.text == "The sky "
    assert len(model.requests) == 1
    row = await Stream.objects.aget()
    assert (row.text, row.terminal) == ("The sky ", tape.terminal)


async def test_a_start_of_which_nothing_was_saved_is_made_anew(
    start_process: StartProcess, block: BlockType, model: DictatedProvider
) -> None:
    """The events that a viewer may have seen have numbers below the mark."""
    process = await start_process()
    started = await start(process, block)
    model.say("The ")
    tape = await read_to(process, started.feed, 0)
    await kill(process)
    process = await start_process()
    reading = await go_on(process, started.feed, tape)
    model.say("It is blue")
    model.finish()
    await reading
    assert tape.types == ["start", "chunk", "start", "snapshot", "chunk", "complete"]
    assert tape.text == "It is blue"
    assert [request.so_far for request in model.requests] == ["", ""]


async def test_a_cancel_that_was_stored_before_the_death_wins(
    start_process: StartProcess, block: BlockType, model: DictatedProvider
) -> None:
    process = await start_process()
    feed, tape = await begin(process, block, model)
    await kill(process)
    await Stream.objects.aupdate(cancel_intent="admin")
    process = await start_process()
    await (await go_on(process, feed, tape))
    assert tape.types[SEEN:] == ["start", "snapshot", "cancelled"]
    assert tape.terminal is not None
    assert tape.terminal["by"] == "admin"
    assert len(model.requests) == 1
    row = await Stream.objects.aget()
    assert (row.status, row.text) == ("cancelled", "The sky ")


async def test_a_stream_is_taken_up_three_times_and_then_lost(
    start_process: StartProcess, block: BlockType, model: DictatedProvider
) -> None:
    process = await start_process()
    feed, _ = await begin(process, block, model)
    tape: Tape | None = None
    for death in range(1, 4):
        await kill(process)
        process = await start_process()
        row = await Stream.objects.aget()
        assert (row.recoveries, row.process) == (death, process.liveness.process_id)
        feed = await process.manager.watch(feed.stream_id, VISITOR.owner)
        model.say(f"{death} ")
        tape = await read_to(process, feed, row.seq + 1, tape)
        assert await process.generations.saver.flush()
    assert tape is not None
    assert tape.text == "The sky 1 2 3 "
    await kill(process)
    process = await start_process()
    await (await go_on(process, feed, tape))
    assert tape.terminal is not None
    assert tape.terminal["code"] == "generator_lost"
    assert tape.text == "The sky 1 2 3 "
    assert len(model.requests) == 4
    numbers = [event["seq"] for event in tape.events if "seq" in event]
    assert numbers == sorted(numbers)


async def test_of_many_streams_none_is_left_behind(
    start_process: StartProcess, block: BlockType, models: dict[str, Provider]
) -> None:
    models[MODEL] = scripted("The ", {"hang": True})
    process = await start_process()
    started = [await start(process, block) for _ in range(50)]
    for one in started:
        await reached(one.feed, 0)
    assert await process.generations.saver.flush()
    await kill(process)
    models[MODEL] = scripted("The ", "sky")
    process = await start_process()
    tapes = await asyncio.gather(*[await go_on(process, one.feed) for one in started])
    for tape in tapes:
        assert tape.terminal is not None
        assert tape.terminal["type"] == "complete"
        assert tape.text == "The sky"
    rows: list[Any] = [row async for row in Stream.objects.values_list("status", "recoveries")]
    assert rows == [("complete", 1)] * 50
