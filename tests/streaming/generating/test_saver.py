"""One saver for all streams of a process: it writes their progress about a second later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connections
from django.test.utils import CaptureQueriesContext

from blocks.delta import Item
from blocks.models import BlockType
from liveai.log_formatter import LogFormatter
from streaming.database import saving, store
from streaming.database.saving import Lost
from streaming.generating import saver as savers
from streaming.generating.generation import MESSAGES
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from tests.conftest import MODEL, MakeBlock, Play, scripted
from tests.support.streaming.counting import ends_counted
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.running import until_idle
from tests.support.streaming.viewing import reached, read, start


async def on_writes(process: Process, work: Callable[[], Any]) -> Any:
    """Run work on the saver's own database thread."""
    return await process.writes.run(work)


@pytest.mark.usefixtures("no_clockwork")
async def test_all_streams_with_news_are_saved_in_one_transaction(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The sky ", "is", {"hang": True})
    started = [await start(process, block) for _ in range(30)]
    for one in started:
        await reached(one.feed, 1)
    capture: CaptureQueriesContext | None = None

    def begin() -> None:
        nonlocal capture
        capture = CaptureQueriesContext(connections["default"])
        capture.__enter__()

    def end() -> list[str]:
        assert capture is not None
        capture.__exit__(None, None, None)
        return [query["sql"] for query in capture.captured_queries]

    await on_writes(process, begin)
    assert await process.generations.saver.flush()
    statements = await on_writes(process, end)
    begins = [sql for sql in statements if sql.startswith("BEGIN")]
    updates = [sql for sql in statements if "UPDATE " in sql and "SELECT" not in sql]
    assert len(begins) == 1
    assert len(updates) == 1, updates  # one statement for all thirty
    rows = Stream.objects.filter(text="The sky is", seq=1, status="running")
    assert await rows.acount() == 30

    await on_writes(process, begin)
    assert await process.generations.saver.flush()
    assert await on_writes(process, end) == []  # nothing new, nothing written


@pytest.mark.usefixtures("no_clockwork")
async def test_many_streams_are_saved_in_slices_with_the_ends_first(
    process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("The sky ", {"hang": True})
    started = [await start(process, block) for _ in range(7)]
    for one in started:
        await reached(one.feed, 0)
    saved: list[set[str]] = []
    save = saving.save

    def noted(process_id: str, columns: Mapping[str, Mapping[str, Any]]) -> Lost:
        saved.append(set(columns))
        return save(process_id, columns)

    monkeypatch.setattr(saving, "save", noted)
    monkeypatch.setattr(savers, "SLICE_STREAMS", 3)
    last = process.generations.all()[-1]
    ending = asyncio.ensure_future(process.generations.saver.save_last(last))
    await asyncio.sleep(0)
    assert await process.generations.saver.flush()
    await ending
    assert last.stream_id in saved[0]
    assert max(map(len, saved)) <= 4  # a slice, and the end
    assert set.union(*saved) == {one.feed.stream_id for one in started}
    assert sum(map(len, saved)) == 7  # each once


async def test_ends_that_follow_each_other_share_a_transaction(
    process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("The sky ", {"hang": True})
    for _ in range(4):
        await reached((await start(process, block)).feed, 0)
    saved: list[set[str]] = []
    save, saver = saving.save, process.generations.saver

    def noted(process_id: str, columns: Mapping[str, Mapping[str, Any]]) -> Lost:
        ended = {key for key, values in columns.items() if values.get("ended_at")}
        saved.append({each.stream_id for each in running if each.stream_id in ended})
        return save(process_id, columns)

    monkeypatch.setattr(saving, "save", noted)
    monkeypatch.setattr(savers, "ENDS_SECONDS", 0.3)
    running = process.generations.all()
    for each in running:
        each.row.ended_at = each.row.created_at
    first, *others = running
    await saver.save_last(first)
    waits: list[asyncio.Task[None]] = []
    for each in others:
        waits.append(asyncio.create_task(saver.save_last(each)))
        for _ in range(5):  # the saver has heard of it
            await asyncio.sleep(0)
    await asyncio.gather(*waits)
    ends = [part for part in saved if part]
    assert ends == [{first.stream_id}, {each.stream_id for each in others}]


async def test_the_text_of_a_running_stream_reaches_its_row_by_itself(
    process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, loop, save = asyncio.Event(), asyncio.get_running_loop(), saving.save

    def save_and_look(*args: Any) -> Lost:
        lost = save(*args)
        if Stream.objects.filter(text="The sky ").exists():
            loop.call_soon_threadsafe(saved.set)
        return lost

    monkeypatch.setattr(saving, "save", save_and_look)
    play("The sky ", {"hang": True})
    await start(process, block)
    async with asyncio.timeout(10):
        await saved.wait()


async def test_a_stream_without_news_is_not_looked_at(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[list[str]] = []
    saver, has_saved = process.generations.saver, asyncio.Event()
    flush = saver._flush

    async def noted(generations: list[Any]) -> bool:
        is_saved = await flush(generations)
        turns.append([generation.stream_id for generation in generations])
        has_saved.set()
        return is_saved

    monkeypatch.setattr(saver, "_flush", noted)
    monkeypatch.setattr(savers, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(savers, "SPREAD_SECONDS", 0.01)
    model.say("The ")
    silent = await start(process, block)
    await reached(silent.feed, 0)
    async with asyncio.timeout(10):
        await has_saved.wait()
    assert turns == [[silent.feed.stream_id]]
    for number in range(1, 4):
        has_saved.clear()
        model.say("sky ")
        async with asyncio.timeout(10):
            await has_saved.wait()
        assert turns == [[silent.feed.stream_id]] * (number + 1)  # once for each news
    row = await Stream.objects.aget(pk=silent.feed.stream_id)
    assert (row.text, row.seq) == ("The sky sky sky ", 3)


@pytest.mark.usefixtures("no_clockwork")
async def test_an_end_is_in_its_row_when_viewers_see_it(
    process: Process, make_block: MakeBlock, play: Play
) -> None:
    play({"json": {"answer": "blue"}, "token_chars": 3})
    block = await make_block(
        output="json",
        answer_schema={
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    )
    started = await start(process, block)
    await started.feed.ended()
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    terminal = started.feed.window.state.terminal
    assert terminal is not None
    assert row.terminal == terminal.to_dict()
    assert row.result == {"answer": "blue"}
    assert row.items == started.feed.window.state.items


async def test_while_the_database_is_away_streams_go_on_and_are_saved_later(
    process: Process,
    block: BlockType,
    model: DictatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(savers, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(savers, "END_WAITS_SECONDS", 0.05)
    is_unreachable = asyncio.Event()
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()
    save = saving.save

    def away(*args: Any) -> list[str]:
        if is_unreachable.is_set():
            loop.call_soon_threadsafe(tried.set)
            raise DatabaseError("the server closed the connection")
        return save(*args)

    monkeypatch.setattr(saving, "save", away)
    model.say("The ")
    started = await start(process, block)
    is_unreachable.set()
    model.say("sky")
    model.finish()
    before = ends_counted()
    tape = await read(process, started.feed)
    assert tape.terminal is not None
    assert tape.terminal["type"] == "complete"
    await tried.wait()
    await process.generations.ended(10)
    assert ends_counted() == before  # another process may write this end, and would count it, too
    assert (await Stream.objects.aget(pk=started.feed.stream_id)).ended_at is None
    is_unreachable.clear()
    saver = process.generations.saver
    async with asyncio.timeout(10):
        # By itself: no stream runs any more, and no other end rings.
        while saver.unsaved:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    assert row.terminal == tape.terminal
    assert row.text == "The sky"
    assert ends_counted() == before + 1
    assert sum("can't be saved" in record.message for record in caplog.records) == 1


@pytest.mark.usefixtures("no_clockwork")
async def test_a_row_that_another_process_closed_ends_the_stream_as_it_says(
    process: Process, block: BlockType
) -> None:
    provider = scripted("The ", {"hang": True})
    process.providers.use(MODEL, provider)
    started = await start(process, block)
    await reached(started.feed, 0)
    reading = asyncio.ensure_future(read(process, started.feed))
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    terminal = events.error(
        row.id,
        row.mark + 1,
        code="generator_lost",
        message=MESSAGES["generator_lost"],
        retryable=True,
    )
    await on_writes(process, lambda: store.end(row, terminal))
    assert await process.generations.saver.flush()
    tape = await reading
    assert tape.terminal == terminal.to_dict()
    async with asyncio.timeout(10):
        await provider.until(lambda p: p.calls_open == 0)
    assert (await Stream.objects.aget(pk=row.pk)).terminal == terminal.to_dict()


@pytest.mark.usefixtures("no_clockwork")
async def test_a_stream_whose_row_was_deleted_ends(process: Process, block: BlockType) -> None:
    provider = scripted("The ", {"hang": True})
    process.providers.use(MODEL, provider)
    started = await start(process, block)
    await reached(started.feed, 0)
    reading = asyncio.ensure_future(read(process, started.feed))
    await on_writes(process, lambda: Stream.objects.all().delete())
    assert await process.generations.saver.flush()
    tape = await reading
    assert tape.terminal is not None
    assert tape.terminal["code"] == "unauthorized"
    assert provider.calls_open == 0


async def test_sqlite_writes_ahead_and_begins_at_once(process: Process) -> None:
    def look() -> tuple[str, str]:
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA journal_mode")
            mode = cursor.fetchone()[0]
        return mode, connections["default"].settings_dict["OPTIONS"]["transaction_mode"]

    assert await on_writes(process, look) == ("wal", "IMMEDIATE")


async def test_a_row_that_can_t_be_stored_does_not_hold_up_the_others(
    process: Process,
    make_block: MakeBlock,
    model: DictatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", LogFormatter())
    bad = await start(process, await make_block("bad"))
    save = saving.save

    def picky(process_id: str, news: Any) -> Any:
        if bad.feed.stream_id in news:
            raise IntegrityError("CHECK constraint failed")
        return save(process_id, news)

    monkeypatch.setattr(saving, "save", picky)
    process.providers.use("scripted:good", scripted("The ", "sky"))
    good = await start(process, await make_block("good", model="scripted:good"))
    model.say("The ", "sky")
    model.finish()
    for one in (bad, good):
        tape = await read(process, one.feed)
        assert tape.terminal is not None
        assert tape.terminal["type"] == "complete"
    assert await process.generations.saver.flush()
    row = await Stream.objects.aget(pk=good.feed.stream_id)
    assert (row.status, row.text) == ("complete", "The sky")
    (line,) = [line for line in caplog.text.splitlines() if "can't be saved" in line]
    assert f" stream_id={bad.feed.stream_id} ERROR " in line


@pytest.mark.usefixtures("no_clockwork")
async def test_an_end_that_waits_for_its_row_gives_way_to_the_one_that_stands_there(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    model.say("The ")
    started = await start(process, block)
    await reached(started.feed, 0)
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    terminal = events.error(
        row.id,
        row.mark + 1,
        code="generator_lost",
        message=MESSAGES["generator_lost"],
        retryable=True,
    )
    await on_writes(process, lambda: store.end(row, terminal))
    model.say("sky")
    model.finish()
    tape = await read(process, started.feed)
    assert tape.terminal == terminal.to_dict()
    await until_idle(process)


@pytest.mark.usefixtures("no_clockwork")
async def test_two_flushes_at_once_lose_nothing(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky")
    started = [await start(process, block) for _ in range(10)]
    flushes = [process.generations.saver.flush() for _ in range(10)]
    tapes = await asyncio.gather(*(read(process, one.feed) for one in started), *flushes)
    for one, tape in zip(started, tapes, strict=False):
        assert tape.terminal["type"] == "complete"
        assert (await process.log.status(one.feed.stream_id)).terminal is not None


@pytest.mark.usefixtures("no_clockwork")
async def test_the_items_of_a_running_stream_are_in_its_row(
    process: Process, block: BlockType, play: Play
) -> None:
    play("x", {"hang": True})
    feed = (await start(process, block)).feed
    await reached(feed, 0)
    generation = process.generations.find(feed.stream_id)
    assert generation is not None
    written: list[dict[str, Any]] = []
    for number, value in enumerate([{"q": "Why \u20ac?\n"}, [1, None], '"so" \U0001f600', 0]):
        generation.writer.put_now(Item(f"/a/{number}", value))
        written.append({"path": f"/a/{number}", "value": value})
        assert await process.generations.saver.flush()
        row = await Stream.objects.aget(pk=feed.stream_id)
        assert (row.items, row.seq) == (written, number + 1)
