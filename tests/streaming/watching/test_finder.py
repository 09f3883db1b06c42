"""A process's view of a stream that another process generates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy

import pytest
from django.db import DatabaseError
from django.db.models.signals import post_delete

from blocks.models import BlockType
from streaming.database import store
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from tests.conftest import Play
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import SharedLog, leave, look, read_to
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import VISITOR, reached, read, start


@pytest.fixture
async def other(log: SharedLog, process: Process) -> AsyncIterator[Process]:
    """Another process on the same log and database."""
    made = await Process.begin()
    yield made
    await made.aclose()


async def test_times_and_usage_are_those_of_the_row_and_the_rest_of_the_log(
    log: SharedLog, process: Process, other: Process, block: BlockType, model: DictatedProvider
) -> None:
    mine = (await start(process, block)).feed
    theirs = await other.manager.watch(mine.stream_id, VISITOR.owner)
    assert (await other.manager.finder.describe(theirs))["status"] == "queued"
    model.say("The ")
    await reached(theirs, 0)
    assert await process.generations.saver.flush()
    model.say("sky")
    await reached(theirs, 1)
    document = await other.manager.finder.describe(theirs)
    assert (document["status"], document["text"], document["seq"]) == ("running", "The sky", 1)
    assert document["started_at"] is not None
    assert document["ttft_ms"] is not None
    model.finish()
    await theirs.ended()
    document = await other.manager.finder.describe(theirs)
    await process.generations.ended(20)
    assert document["status"] == "complete"
    assert document["usage"] == {"input_tokens": 1, "output_tokens": 1}
    assert document["ended_at"] is not None
    again = await other.manager.finder.describe(theirs)
    assert {**again, "ended_at": None} == {**document, "ended_at": None}


async def test_an_end_that_the_row_lacks_comes_from_the_log(
    log: SharedLog, process: Process, other: Process, block: BlockType
) -> None:
    row = await leave(block, process=other.liveness.process_id, text="The sky", seq=0)
    await log.put(
        row.id,
        events.chunk(row.id, 0, "The sky"),
        events.complete(
            row.id,
            1,
            finish_reason="stop",
            input_tokens=5,
            output_tokens=7,
            ttft_ms=11,
            duration_ms=13,
        ),
    )
    feed = await process.manager.watch(row.id, VISITOR.owner)
    document = await process.manager.finder.describe(feed)
    assert (document["status"], document["text"], document["ttft_ms"]) == (
        "complete",
        "The sky",
        11,
    )
    assert document["usage"] == {"input_tokens": 5, "output_tokens": 7}
    assert document["ended_at"] is not None


async def test_while_the_database_is_unreachable_the_known_state_is_described(
    log: SharedLog,
    process: Process,
    other: Process,
    block: BlockType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await leave(block, process=other.liveness.process_id)
    await log.put(row.id, events.chunk(row.id, 0, "The sky"))
    feed = await process.manager.watch(row.id, VISITOR.owner)

    def fail(stream_id: str) -> Stream:
        raise DatabaseError("the server closed the connection")

    monkeypatch.setattr(store, "find", fail)
    document = await process.manager.finder.describe(feed)
    assert (document["status"], document["text"]) == ("running", "The sky")


async def test_a_row_of_this_process_is_not_read_again(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = (await start(process, block)).feed
    model.say("The ")
    await reached(feed, 0)

    def asked(stream_id: str) -> Stream:
        raise AssertionError("not reached")

    monkeypatch.setattr(store, "find", asked)
    document = await process.manager.finder.describe(feed)
    assert document["text"] == "The "
    assert document["started_at"] is not None


async def test_what_was_removed_elsewhere_is_not_shown_here_any_more(
    log: SharedLog, process: Process, other: Process, block: BlockType, model: DictatedProvider
) -> None:
    mine = (await start(process, block)).feed
    await other.manager.watch(mine.stream_id, VISITOR.owner)
    model.say("The sky")
    model.finish()
    await mine.ended()
    await process.generations.ended(20)
    # As between processes, this one receives no signal.
    post_delete.disconnect(process._row_deleted, sender=Stream)
    await other.manager.delete(mine.stream_id, VISITOR.owner)
    for one in (process, other):
        with pytest.raises(Refused, match="not found"):
            await one.manager.watch(mine.stream_id, VISITOR.owner)


# --- from the row only --------------------------------------------------------------------------


async def test_a_log_that_was_emptied_under_its_generator_costs_no_viewer_its_cursor(
    log: SharedLog, process: Process, other: Process, block: BlockType, model: DictatedProvider
) -> None:
    """Until the generator notices, other processes serve its row, which has a correct number."""
    mine = (await start(process, block)).feed
    model.say("The ", "sky ")
    await reached(mine, 1)
    assert await process.generations.saver.flush()
    await log.forget(mine.stream_id)

    theirs = await other.manager.watch(mine.stream_id, VISITOR.owner)
    assert other.hub.polled_feeds() == [theirs]
    assert (await other.manager.finder.describe(theirs))["seq"] == 1
    lost_its_line = await read_to(other, theirs, 1)
    assert lost_its_line.types == ["start", "snapshot"]
    knows_all = Tape()
    knows_all.cursor = knows_all.state.seq = 1
    reading = [asyncio.ensure_future(read(other, theirs, tape)) for tape in (Tape(), knows_all)]
    await asyncio.sleep(0)

    await process.generations.keep_leases()  # now it has noticed
    for one in (process, other):
        await one.manager.finder.poll()
    model.say("is ", "blue")
    model.finish()
    stayed, knew = await asyncio.gather(*reading)
    assert stayed.types == ["start", "snapshot", "chunk", "chunk", "complete"]
    assert knew.types == ["start", "chunk", "chunk", "complete"]
    for where, feed in ((process, mine), (other, theirs)):
        tape = await read(where, feed, deepcopy(lost_its_line))
        assert tape.types[2:] == ["start", "chunk", "chunk", "complete"]
        assert tape.text == stayed.text == "The sky is blue"
        assert tape.terminal == stayed.terminal == knew.terminal


async def test_what_its_row_does_not_have_yet_comes_with_a_second_snapshot(
    log: SharedLog, process: Process, other: Process, block: BlockType, model: DictatedProvider
) -> None:
    mine = (await start(process, block)).feed
    model.say("The ")
    await reached(mine, 0)
    assert await process.generations.saver.flush()
    model.say("sky ")
    await reached(mine, 1)
    await log.forget(mine.stream_id)
    theirs = await other.manager.watch(mine.stream_id, VISITOR.owner)
    tape = Tape()
    tape.cursor = tape.state.seq = 1  # the viewer has more than the row
    reading = asyncio.ensure_future(read(other, theirs, tape))
    await asyncio.sleep(0)
    await process.generations.keep_leases()
    assert await process.generations.saver.flush()
    await other.manager.finder.poll()
    model.say("is blue")
    model.finish()
    await reading
    snapshots = [event for event in tape.events if event["type"] == "snapshot"]
    assert [(one["seq"], one["text"]) for one in snapshots] == [(0, "The "), (1, "The sky ")]
    assert tape.types == ["start", "snapshot", "snapshot", "chunk", "complete"]
    assert tape.text == "The sky is blue"


async def test_who_was_shown_the_row_of_a_dead_process_goes_on_above_its_mark(
    process: Process, block: BlockType, play: Play
) -> None:
    """Nobody knows yet whether the generator is dead; after a takeover, a snapshot follows."""
    play("The sky ", "is blue")
    row = await leave(block)
    feed = await process.manager.watch(row.id, VISITOR.owner)
    tape = Tape()
    tape.cursor = tape.state.seq = 4  # the dead generator had sent more than it saved
    reading = asyncio.ensure_future(read(process, feed, tape))
    left = await read_to(process, feed, 1)
    assert left.types == ["start", "snapshot"]
    reading_again = asyncio.ensure_future(read(process, feed, left))
    await asyncio.sleep(0)
    await look(process)
    for one in (await reading, await reading_again):
        assert one.types[-3:] == ["snapshot", "chunk", "complete"]
        assert [e["seq"] for e in one.events[-3:]] == [row.mark, row.mark + 1, row.mark + 2]
        assert one.text == "The sky is blue"
