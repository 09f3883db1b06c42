"""Running generations keep their leases, and stop once they have lost them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from blocks.models import BlockType
from streaming.database import store
from streaming.event_log.base import Lease, LogStatus, LogUnavailable
from streaming.event_log.memory import MemoryEventLog
from streaming.generating.generation import Generation
from streaming.models import Stream
from streaming.process import Process
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.running import all_rows, begin, take_lease, until_idle
from tests.support.streaming.viewing import read, start

pytestmark = pytest.mark.usefixtures("no_clockwork")


async def refuse_all(leases: Sequence[Lease]) -> list[Lease]:
    return list(leases)


async def test_one_whose_lease_was_lost_stops_and_writes_nothing_more(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    feed = await begin(process, block, model)
    before = await all_rows()
    await take_lease(process, feed.stream_id)
    await process.generations.keep_leases()
    await until_idle(process)
    assert await process.generations.saver.flush()
    assert await all_rows() == before
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
    await until_idle(process)
    assert generation.is_taken_over
    assert not feed.has_live_row
    assert feed.row.ended_at is None  # so it is read again


async def test_leases_are_kept_while_the_database_hangs(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await begin(process, block, model)
    renewed = []

    async def renew_all(leases: Sequence[Lease]) -> list[Lease]:
        renewed.extend(leases)
        return []

    monkeypatch.setattr(process.log, "renew_all", renew_all)
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
        assert [stream_id for stream_id, _ in renewed] == [feed.stream_id]
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
        patch.setattr(process.log, "renew_all", refuse_all)
        await process.generations.keep_leases()
    released.set()
    await until_idle(process)
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
    await until_idle(process)
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

        async def fail(stream_id: str) -> LogStatus:
            raise LogUnavailable

        patch.setattr(process.log, "renew_all", refuse_all)
        patch.setattr(process.log, "status", fail)
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
