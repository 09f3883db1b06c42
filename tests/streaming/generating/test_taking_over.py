"""Taking over a stream from its row and log: by which process, and from which position."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from blocks.providers.base import Provider
from streaming.database import store
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.leaving import (
    MAX_EVENTS,
    SharedLog,
    chunks,
    keep_models,
    kill,
    leave,
    leave_unbegun,
    look,
    watch,
)
from tests.support.streaming.running import all_rows
from tests.support.streaming.viewing import VISITOR

STREAMS = 20


# --- the position -------------------------------------------------------------------------------


async def test_where_the_log_is_there_an_answer_goes_on_without_a_gap(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave(block)  # it lags behind
    await log.put(row.id, *chunks(row, 0, "The ", "sky ", "is "))
    provider = play("The sky is ", "blue")
    await look(process)
    tape = await watch(process, row)
    assert tape.types == ["start", *["chunk"] * 4, "complete"]
    assert tape.text == "The sky is blue"
    assert [request.so_far for request in provider.requests] == ["The sky is "]
    tape = await watch(process, row, after=2)
    assert tape.types == ["start", "chunk", "complete"]


async def test_a_start_whose_generation_never_began_is_made_in_its_own_log(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave_unbegun(block)
    await log.put(row.id)
    provider = play("It is ", "blue")
    await look(process)
    tape = await watch(process, row)
    assert tape.types == ["start", "chunk", "chunk", "complete"]
    assert tape.cursor == 2
    assert [request.so_far for request in provider.requests] == [""]


async def test_a_log_that_begins_where_the_row_ends_is_added_to_it(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave(block)
    await log.put(row.id, *chunks(row, 2, "is "), after=1)
    provider = play("The sky is ", "blue")
    await look(process)
    tape = await watch(process, row)
    assert tape.terminal is not None
    assert (tape.terminal["type"], tape.cursor) == ("complete", 4)
    assert tape.text == "The sky is blue"
    assert [request.so_far for request in provider.requests] == ["The sky is "]


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_of_a_log_that_went_back_in_time_no_number_is_used_twice(
    log: SharedLog, process: Process, block: BlockType, play: Play, *, is_cancelled: bool
) -> None:
    """Simulate a restored Redis, which has lost delivered events."""
    row = await leave(block, text="The sky is ", seq=2)
    await log.put(row.id, *chunks(row, 0, "The "))
    if is_cancelled:
        await log.store_cancel(row.id, "owner")
    play("The sky is ", "blue")
    await look(process)
    await look(process)
    tape = await watch(process, row, after=2)
    assert tape.types[:2] == ["start", "snapshot"]
    end = ("cancelled", "The sky is ") if is_cancelled else ("complete", "The sky is blue")
    assert (tape.types[-1], tape.text) == end
    assert tape.cursor >= MAX_EVENTS


async def test_a_log_of_a_redis_that_was_started_anew_may_lack_what_was_delivered(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    """Events up to 4 were delivered. The rest of the log exceeds the row, but is incomplete."""
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky ", "is "))
    log.is_restored = True
    play("The sky ", "is green")
    await look(process)
    log.is_restored = False  # applies to the recreated log
    await look(process)
    tape = await watch(process, row, after=4)
    assert tape.types[:2] == ["start", "snapshot"]
    assert (tape.types[-1], tape.text) == ("complete", "The sky is green")
    assert tape.cursor > MAX_EVENTS


async def test_who_left_in_order_wrote_down_all_so_a_redis_that_was_started_anew_lacks_nothing(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave(block, process="", text="The sky is ", seq=2)
    await log.put(row.id, *chunks(row, 0, "The ", "sky ", "is "))
    log.is_restored = True
    play("The sky is ", "blue")
    await look(process)
    tape = await watch(process, row, after=2)
    assert tape.types == ["start", "chunk", "complete"]


async def test_the_row_of_an_ended_stream_has_the_end_that_its_log_lost(
    log: SharedLog, process: Process, block: BlockType
) -> None:
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The "))
    await sync_to_async(store.end)(row, events.cancelled(row.id, 2, by="owner"))
    tape = await watch(process, row)
    assert tape.types == ["start", "snapshot", "cancelled"]
    assert tape.text == "The sky "


async def test_an_answer_of_which_something_is_missing_starts_again(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave(block)
    await log.put(row.id, *chunks(row, 50, "is "), after=49)
    provider = play("It is blue")
    await look(process)
    await provider.until(lambda p: p.calls_started == 1)
    assert provider.requests[0].so_far == ""
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    logged = await log.read(row.id)
    assert [event.type for event in logged] == ["chunk", "reset", "chunk", "complete"]
    assert [event.seq for event in logged] == [50, 51, 52, 53]
    ended = await Stream.objects.aget()
    assert (ended.status, ended.text) == ("complete", "It is blue")


async def test_an_end_that_only_the_log_has_is_copied_to_the_row(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    row = await leave(block)
    end = events.complete(
        row.id,
        3,
        finish_reason="stop",
        input_tokens=5,
        output_tokens=7,
        ttft_ms=11,
        duration_ms=13,
    )
    await log.put(row.id, *chunks(row, 0, "The ", "sky ", "is."), end)
    provider = play("never asked")
    await look(process)
    ended = await Stream.objects.aget()
    assert (ended.status, ended.text, ended.terminal) == ("complete", "The sky is.", end.to_dict())
    assert (ended.input_tokens, ended.output_tokens, ended.ttft_ms) == (5, 7, 11)
    assert ended.ended_at is not None
    assert ended.recoveries == 0
    assert provider.calls_started == 0
    assert (await watch(process, row)).terminal == end.to_dict()


async def test_without_its_block_a_stream_ends_with_what_was_said(
    process: Process, block: BlockType, play: Play
) -> None:
    provider = play("never asked")
    row = await leave(block)
    await block.adelete()
    await look(process)
    tape = await watch(process, row)
    assert tape.terminal is not None
    assert tape.terminal["code"] == "generator_lost"
    assert tape.text == "The sky "
    assert provider.calls_started == 0


async def test_a_block_that_is_switched_off_still_ends_what_it_began(
    process: Process, make_block: MakeBlock, play: Play
) -> None:
    play("The sky ", "is blue")
    row = await leave(await make_block(enabled=False))
    await look(process)
    tape = await watch(process, row)
    assert tape.terminal is not None
    assert tape.terminal["type"] == "complete"
    assert tape.text == "The sky is blue"


# --- the process --------------------------------------------------------------------------------


async def test_a_cancel_of_a_stream_that_nobody_generates_calls_no_provider(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    provider = play("never asked")
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    feed = await process.manager.cancel(row.id, VISITOR.owner, by="owner")
    assert feed.window.has_ended
    tape = await watch(process, row)
    assert tape.types == ["start", "chunk", "chunk", "cancelled"]
    assert provider.calls_started == 0
    await process.generations.ended(20)
    ended = await Stream.objects.aget()
    assert (ended.status, ended.text) == ("cancelled", "The sky ")


async def test_the_streams_of_a_living_process_are_not_touched(
    log: SharedLog, process: Process, block: BlockType, start_process: StartProcess
) -> None:
    provider = scripted("The ", {"hang": True})
    process.providers.use(MODEL, provider)
    other = await Process.begin()
    try:
        rows = [await leave(block, process=other.liveness.process_id) for _ in range(3)]
        for row in rows:
            await log.put(row.id, *chunks(row, 0, "The ", "sky "))  # not even a lease
        before = await all_rows()
        await look(process)
        assert await all_rows() == before
        assert provider.calls_started == 0
    finally:
        await kill(other)
    await look(process)
    await provider.until(lambda p: p.calls_started == 3)
    assert {row["process"] for row in await all_rows()} == {process.liveness.process_id}


@pytest.mark.parametrize("has_log", [True, False])
async def test_of_two_processes_that_find_a_stream_one_generates_it(
    log: SharedLog,
    start_process: StartProcess,
    block: BlockType,
    monkeypatch: pytest.MonkeyPatch,
    has_log: bool,
) -> None:
    provider = scripted("The sky ", "is ", {"pause_ms": 20}, "blue")
    models: dict[str, Provider] = {MODEL: provider}
    keep_models(monkeypatch, models)
    pair = [await start_process(), await Process.begin()]
    try:
        rows = [await leave(block) for _ in range(STREAMS)]
        if has_log:
            for row in rows:
                await log.put(row.id, *chunks(row, 0, "The ", "sky "))
        await asyncio.gather(*(look(process) for process in pair for _ in range(2)))
        for process in pair:
            await process.generations.ended(20)
        assert provider.calls_started == STREAMS
        ended = await all_rows()
        assert {row["text"] for row in ended} == {"The sky is blue"}
        assert {row["status"] for row in ended} == {"complete"}
        assert {row["recoveries"] for row in ended} == {1}
        for row in rows:
            logged = await log.read(row.id)
            numbers = [event.seq for event in logged]
            first = 0 if has_log else MAX_EVENTS
            assert numbers == list(range(first, first + len(logged)))

        for row in rows:  # found before, but handled only now
            for process in pair:
                await process.recovery.take_over(row.id)
        assert await all_rows() == ended
        assert provider.calls_started == STREAMS
    finally:
        await pair[1].aclose()


async def test_a_process_that_is_full_leaves_the_rest_to_others(
    start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(STREAM_MAX_RUNNING=2)
    provider = scripted("The sky ", {"hang": True})
    process.providers.use(MODEL, provider)
    for _ in range(3):
        await leave(block)
    for _ in range(2):
        await look(process)
        assert process.manager.running == 2
    assert await Stream.objects.filter(process=process.liveness.process_id).acount() == 2
    first = process.generations.all()[0].stream_id
    await process.manager.cancel(first, None, by="admin")
    await look(process)
    assert process.manager.running == 2
    assert await Stream.objects.filter(process=process.liveness.process_id).acount() == 3


async def test_each_process_begins_with_others(process: Process) -> None:
    asked: list[str] = []

    async def take_up(stream_id: str) -> None:
        asked.append(stream_id)

    left = [f"{number:022}" for number in range(100)]
    for _ in range(2):
        await process.recovery.look(lambda running: left, take_up)
    assert sorted(asked[:100]) == sorted(asked[100:]) == left
    assert asked[:100] != asked[100:] != left


async def test_after_the_log_was_away_their_generators_come_first(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    provider = play("The sky ", {"hang": True})
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    before = await all_rows()
    log.steady_for = 5.9
    await look(process)
    assert await all_rows() == before
    log.steady_for = 6.0
    await look(process)
    await provider.until(lambda p: p.calls_started == 1)
