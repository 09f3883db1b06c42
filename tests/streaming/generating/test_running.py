"""Running generations stop on a cancel, a foreign row, or the end of the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from blocks.models import BlockType
from blocks.providers.base import ChatRequest, Piece
from streaming.event_log.base import StreamNotFound
from streaming.generating import generation as generation_module
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from tests.conftest import MODEL, MakeBlock, Play
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import leave
from tests.support.streaming.running import all_rows, begin, until_idle
from tests.support.streaming.viewing import reached, read, start

pytestmark = pytest.mark.usefixtures("no_clockwork")


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


async def test_an_intent_in_the_log_is_heard_with_the_lease(
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


async def test_an_intent_in_the_row_is_heard_with_the_next_save(
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


async def test_an_intent_in_the_row_is_found_without_any_news(
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
    before = await all_rows()
    model.say("sky")
    await reached(feed, 1)
    assert await process.generations.saver.flush()
    await until_idle(process)
    assert await all_rows() == before
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
    await until_idle(process)


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
    before = await all_rows()
    model.say("sky")
    await until_idle(process)
    status = await process.log.status(feed.stream_id)
    assert (status.last, status.terminal, status.is_held) == (0, None, True)
    assert await process.generations.saver.flush()
    assert await all_rows() == before


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
    await until_idle(process)
    assert provider.calls_started == 0
    row = await Stream.objects.aget()
    assert (row.terminal["code"] if row.terminal else None) == end
    assert (row.seq, row.text) == ((0, "") if end else (-1, ""))
