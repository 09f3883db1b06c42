"""Running generations stop on a cancel, a lost lease, a foreign row, or the process's end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from blocks.models import BlockType
from blocks.providers.base import ChatRequest, Piece
from streaming.database import store
from streaming.event_log.base import LogUnavailable, StreamNotFound
from streaming.event_log.memory import MemoryEventLog
from streaming.generating import generation as generation_module
from streaming.generating import saver as savers
from streaming.generating.generation import Generation
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.watching.hub import Feed
from tests.conftest import MODEL, MakeBlock, Play
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import leave
from tests.support.streaming.viewing import reached, read, start


@pytest.fixture(autouse=True)
def no_clockwork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable periodic saving: the saver saves only on command and at ends."""
    monkeypatch.setattr(savers, "SAVE_SECONDS", 3_600.0)


@pytest.fixture
def model(process: Process) -> DictatedProvider:
    made = DictatedProvider()
    process.providers.use(MODEL, made)
    return made


class Reluctant(DictatedProvider):
    """A model whose `close` waits for permission."""

    def __init__(self) -> None:
        super().__init__()
        self.say("The ")
        self.may_close = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        try:
            async for piece in super().stream(request):
                yield piece
        finally:
            await self.may_close.wait()


async def begin(process: Process, block: BlockType, model: DictatedProvider) -> Feed:
    """Start a stream that has said `The `, which its row contains."""
    feed = (await start(process, block)).feed
    model.say("The ")
    await reached(feed, 0)
    assert await process.generations.saver.flush()
    return feed


async def take_lease(process: Process, stream_id: str) -> int:
    """Take the lease like another process, once it has expired."""
    await process.log.release(stream_id, (await process.log.status(stream_id)).epoch)
    epoch = await process.log.acquire(stream_id)
    assert epoch is not None
    return epoch


async def ended(process: Process) -> None:
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    assert process.manager.running == 0


async def values() -> list[dict[str, Any]]:
    return [values async for values in Stream.objects.order_by("id").values()]


# --- leases -------------------------------------------------------------------------------------


async def test_one_whose_lease_was_lost_stops_and_writes_nothing_more(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    before = await values()
    await take_lease(process, feed.stream_id)
    await process.generations.keep_leases()
    await ended(process)
    assert await process.generations.saver.flush()
    assert await values() == before
    status = await process.log.status(feed.stream_id)
    assert (status.last, status.terminal, status.is_held) == (0, None, True)
    assert not feed.window.has_ended
    assert not feed.has_live_row  # the new owner maintains the row; ours is outdated


@pytest.mark.parametrize("is_at_end", [False, True])
async def test_one_that_finds_out_by_writing_that_it_has_lost_leaves_the_row_too(
    process: Process, block: BlockType, model: DictatedProvider, *, is_at_end: bool
) -> None:
    feed = await begin(process, block, model)
    (generation,) = process.generations.all()
    await take_lease(process, feed.stream_id)
    if is_at_end:
        model.finish()
    else:
        model.say("sky")
    await ended(process)
    assert generation.is_taken_over
    assert not feed.has_live_row
    assert feed.row.ended_at is None  # so it is read again


async def test_leases_are_kept_while_the_database_hangs(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await begin(process, block, model)
    renewed = []

    async def renew(stream_id: str, epoch: int) -> bool:
        renewed.append(stream_id)
        return True

    monkeypatch.setattr(process.log, "renew", renew)
    released, hangs = threading.Event(), asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def hang() -> None:
        loop.call_soon_threadsafe(hangs.set_result, None)
        released.wait(20)

    hanging = asyncio.ensure_future(process.writes.run(hang))
    try:
        await hangs
        async with asyncio.timeout(10):
            await process.generations.keep_leases()
        assert set(renewed) == {feed.stream_id}
        assert not hanging.done()
    finally:
        released.set()
        await hanging


async def test_an_end_on_its_way_is_not_shown_once_the_lease_is_lost(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await begin(process, block, model)
    (generation,) = process.generations.all()
    waits, released = asyncio.Event(), asyncio.Event()

    async def save_last(generation: Generation) -> None:
        waits.set()
        await released.wait()

    monkeypatch.setattr(generation, "_save_last", save_last)
    model.finish()
    async with asyncio.timeout(20):
        await waits.wait()
    with monkeypatch.context() as patch:

        async def refused(stream_id: str, epoch: int) -> bool:
            return False

        patch.setattr(process.log, "renew", refused)
        await process.generations.keep_leases()
    released.set()
    await ended(process)
    status = await process.log.status(feed.stream_id)
    assert (status.last, status.terminal) == (0, None)
    assert not feed.window.has_ended


async def test_one_that_has_ended_is_not_taken_for_lost_while_its_row_waits(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryEventLog, "survives_process", True)  # the log first, then the row
    feed = await begin(process, block, model)
    (generation,) = process.generations.all()
    save, waits, released = generation._save_last, asyncio.Event(), asyncio.Event()

    async def save_last(generation: Generation) -> None:
        waits.set()
        await released.wait()
        await save(generation)

    monkeypatch.setattr(generation, "_save_last", save_last)
    model.finish()
    async with asyncio.timeout(20):
        await waits.wait()
    await process.generations.keep_leases()  # an ended log no longer has a lease
    released.set()
    await ended(process)
    assert not generation.is_taken_over
    row = await Stream.objects.aget(id=feed.stream_id)
    assert (row.status, row.ended_at) == ("complete", generation.row.ended_at)
    assert row.ended_at is not None


async def test_a_start_whose_row_takes_longer_than_a_lease_calls_no_second_model(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = store.create
    loop = asyncio.get_running_loop()
    row_is_there, released = asyncio.Event(), threading.Event()

    def slow(stream_id: str, *args: Any, **options: Any) -> Any:
        made = create(stream_id, *args, **options)
        loop.call_soon_threadsafe(row_is_there.set)
        released.wait(20)
        return made

    monkeypatch.setattr(store, "create", slow)
    starting = asyncio.ensure_future(start(process, block))
    async with asyncio.timeout(20):
        await row_is_there.wait()
    row = await Stream.objects.aget()
    await process.log.release(row.id, (await process.log.status(row.id)).epoch)  # it has expired
    await process.recovery.take_over(row.id)
    assert not (await process.log.status(row.id)).is_held  # it is about to begin here
    await take_lease(process, row.id)
    released.set()
    feed = (await starting).feed
    assert (feed.stream_id, len(process.generations)) == (row.id, 0)  # another process generates it
    assert model.requests == []


async def test_while_the_log_is_unreachable_a_lease_does_not_count_as_lost(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await begin(process, block, model)
    with monkeypatch.context() as patch:

        async def fail(stream_id: str, epoch: int) -> bool:
            raise LogUnavailable

        patch.setattr(process.log, "renew", fail)
        await process.generations.keep_leases()
    model.say("sky")
    model.finish()
    tape = await read(process, feed)
    assert tape.terminal is not None
    assert tape.terminal["type"] == "complete"


async def test_a_log_that_was_lost_under_its_generation_is_there_again(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    reading = asyncio.ensure_future(read(process, feed))
    await asyncio.sleep(0)
    await process.log.forget(feed.stream_id)
    await process.generations.keep_leases()
    status = await process.log.status(feed.stream_id)
    assert (status.last, status.is_held) == (0, True)
    await process.manager.finder.poll()
    model.say("sky")
    model.finish()
    tape = await reading
    assert tape.types == ["start", "chunk", "chunk", "complete"]
    assert tape.text == "The sky"


# --- cancels ------------------------------------------------------------------------------------


async def test_of_cancels_that_are_heard_twice_the_first_counts(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    for by in ("admin", "admin", "owner"):
        process.generations.cancel(feed.stream_id, by)  # type: ignore[arg-type]
    tape = await read(process, feed)
    assert tape.types == ["start", "chunk", "cancelled"]
    assert tape.terminal is not None
    assert tape.terminal["by"] == "admin"
    process.generations.cancel(feed.stream_id, "owner")
    process.generations.cancel("never heard of", "owner")
    assert (await process.log.status(feed.stream_id)).last == 1


async def test_a_cancel_intent_in_the_log_arrives_with_the_lease(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await begin(process, block, model)
    with monkeypatch.context() as patch:  # the signal is lost
        patch.setattr(process.log, "_on_cancel", lambda stream_id, by: None)
        await process.log.store_cancel(feed.stream_id, "owner")
    assert process.manager.running == 1
    await process.generations.keep_leases()
    tape = await read(process, feed)
    assert tape.types == ["start", "chunk", "cancelled"]


async def test_a_cancel_intent_in_the_row_arrives_with_the_next_save(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    await Stream.objects.aupdate(cancel_intent="admin")
    model.say("sky")
    await reached(feed, 1)
    assert await process.generations.saver.flush()
    tape = await read(process, feed)
    assert tape.terminal is not None
    assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "admin")
    assert tape.text == "The sky"


async def test_a_cancel_intent_in_the_row_is_looked_for_without_any_news(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    await Stream.objects.aupdate(cancel_intent="admin")
    await process.generations.look_for_intents()
    tape = await read(process, feed)
    assert tape.terminal is not None
    assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "admin")


# --- rows ---------------------------------------------------------------------------------------


async def test_a_row_that_another_process_took_over_is_left_to_it(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    reading = asyncio.ensure_future(read(process, feed))
    await Stream.objects.aupdate(process="another", recoveries=1)
    before = await values()
    model.say("sky")
    await reached(feed, 1)
    assert await process.generations.saver.flush()
    await ended(process)
    assert await values() == before
    assert process.hub.polled_feeds() == [feed]  # the local data may be outdated now

    end = events.cancelled(feed.stream_id, 200_000, by="owner")
    state = {"status": "cancelled", "text": "It is blue", "seq": 200_000}
    await Stream.objects.aupdate(terminal=end.to_dict(), ended_at=feed.row.created_at, **state)
    await process.manager.finder.poll()
    tape = await reading
    assert tape.types == ["start", "chunk", "chunk", "snapshot", "cancelled"]
    assert tape.text == "It is blue"


async def test_a_log_that_was_let_go_of_is_not_made_anew_by_a_generation_that_has_lost(
    process: Process, block: BlockType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_module, "CLOSE_SECONDS", 20.0)
    provider = Reluctant()
    process.providers.use(MODEL, provider)
    feed = (await start(process, block)).feed
    await reached(feed, 0)
    await Stream.objects.aupdate(process="another")
    assert await process.generations.saver.flush()
    await process.manager.taken_over(feed.stream_id)  # it was still ending; now it is done
    assert process.manager.running == 1  # it is still closing its provider
    await process.generations.keep_leases()
    with pytest.raises(StreamNotFound):
        await process.log.status(feed.stream_id)
    provider.may_close.set()
    await ended(process)


async def test_an_epoch_of_before_is_none_after_the_stream_came_back(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    """The stream is taken over and taken back: the first generation must not write again."""
    feed = await begin(process, block, model)
    (generation,) = process.generations.all()
    await process.log.forget(feed.stream_id)
    await process.log.open(feed.stream_id, after=0)
    epoch = await process.log.acquire(feed.stream_id)
    assert epoch is not None
    assert epoch > generation.writer.epoch
    before = await values()
    model.say("sky")
    await ended(process)
    status = await process.log.status(feed.stream_id)
    assert (status.last, status.terminal, status.is_held) == (0, None, True)
    assert await process.generations.saver.flush()
    assert await values() == before


# --- the process's end --------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "end"), [("", None), ("fail", "shutting_down")])
async def test_what_begins_while_a_process_ends_calls_no_provider(
    process: Process, make_block: MakeBlock, play: Play, rule: str, end: str | None
) -> None:
    provider = play("The sky ", "is blue")
    block = await make_block(on_generator_lost=rule)
    row = await leave(block, process="", status="queued", text="", seq=-1)
    process.generations.stop()
    await process.recovery.take_over(row.id)
    await ended(process)
    assert provider.calls_started == 0
    row = await Stream.objects.aget()
    assert (row.terminal["code"] if row.terminal else None) == end
    assert (row.seq, row.text) == ((0, "") if end else (-1, ""))
