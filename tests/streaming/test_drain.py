"""The end of a process: streams finish or are handed over, and every client is notified."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import DatabaseError

from blocks.models import BlockType
from streaming.database import saving
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from streaming.watching import connections
from tests.conftest import MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.browser import START, Answer, Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.viewing import hold_end, reached, read, start


async def test_what_ends_in_time_completes_and_the_rest_is_left_to_its_last_word(
    start_process: StartProcess, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=20)
    short = [DictatedProvider() for _ in range(5)]
    blocks = []
    for number, model in enumerate(short):
        process.providers.use(f"scripted:{number}", model)
        blocks.append(await make_block(f"short-{number}", model=f"scripted:{number}"))
    endless = scripted("The ", "sky ", "is ", {"hang": True})
    process.providers.use("scripted:endless", endless)
    blocks += [await make_block("endless", model="scripted:endless")] * 5
    started = [await start(process, block) for block in blocks]
    reading = [asyncio.ensure_future(read(process, one.feed)) for one in started]
    for one in started[5:]:
        await reached(one.feed, 2)
    ended = process.generations.ended

    async def end_short_ones(timeout_seconds: float) -> None:
        """Act as if the time were up as soon as the short streams have ended."""
        monkeypatch.setattr(process.generations, "ended", ended)
        assert 10 < timeout_seconds <= 20  # the time for a drain, not for a stop
        for model in short:
            model.say("The ", "sky")
            model.finish()
        await asyncio.gather(*reading[:5])

    monkeypatch.setattr(process.generations, "ended", end_short_ones)
    await process.drain()
    tapes = await asyncio.gather(*reading)
    for tape in tapes[:5]:
        assert tape.terminal is not None
        assert tape.terminal["type"] == "complete"
    for one, tape in zip(started[5:], tapes[5:], strict=True):
        assert tape.types == ["start", "chunk", "chunk", "chunk", "reconnect"]
        row = await Stream.objects.aget(pk=one.feed.stream_id)
        assert (row.process, row.status, row.terminal, row.ended_at) == ("", "running", None, None)
        assert (row.seq, row.text) == (tape.cursor, tape.text) == (2, "The sky is ")
    assert endless.calls_open == 0
    assert process.manager.running == 0


async def test_what_may_not_be_taken_over_ends_as_shutting_down(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    endless = scripted("The ", {"hang": True})
    process.providers.use("scripted:x", endless)
    started = await start(process, await make_block(on_generator_lost="fail"))
    await reached(started.feed, 0)
    reading = asyncio.ensure_future(read(process, started.feed))
    await process.drain()
    tape = await reading
    assert tape.terminal is not None
    assert (tape.terminal["code"], tape.terminal["retryable"]) == ("shutting_down", True)
    assert endless.calls_open == 0
    row = await Stream.objects.aget()
    assert (row.terminal, row.text) == (tape.terminal, "The ")


async def test_an_answer_in_one_piece_that_is_not_whole_is_left_as_if_it_had_not_begun(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    endless = scripted("The ", {"hang": True})
    process.providers.use("scripted:x", endless)
    started = await start(process, await make_block(), streaming=False)
    await endless.until(lambda p: p.calls_open == 1)
    reading = asyncio.ensure_future(read(process, started.feed))
    await process.drain()
    assert (await reading).types == ["start", "reconnect"]
    row = await Stream.objects.aget()
    assert (row.process, row.status, row.seq, row.text) == ("", "queued", -1, "")


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
        await draining  # nothing is left, so it does not wait the full twenty seconds
    tape = await late
    assert tape.terminal is not None
    assert tape.terminal["type"] == "cancelled"


async def test_the_watchers_of_nothing_that_ends_are_asked_to_reconnect(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    process.connections.dismiss()
    tape = await read(process, started.feed)
    assert tape.types == ["start", "chunk", "reconnect"]
    assert tape.terminal is None


async def test_a_process_that_is_stopped_leaves_its_streams_to_others(
    process: Process, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    started = [await start(process, block) for _ in range(10)]
    for one in started:
        await reached(one.feed, 0)
    await process.manager.aclose()
    assert provider.calls_open == 0
    rows = [row async for row in Stream.objects.all()]
    assert [(row.process, row.status, row.seq, row.text) for row in rows] == [
        ("", "running", 0, "The ")
    ] * 10


async def test_with_the_database_unreachable_streams_are_not_left_before_they_are_saved(
    process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new owner trusts the number in a handed-over row; an orphan is better than a wrong one."""
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    save = saving.save

    def fail_unreachable(*args: Any) -> Any:
        raise DatabaseError("the server closed the connection")

    monkeypatch.setattr(saving, "save", fail_unreachable)
    await process.manager.stop()
    row = await Stream.objects.aget()
    assert row.process == process.liveness.process_id
    assert process.manager.running == 0
    monkeypatch.setattr(saving, "save", save)
    assert await process.generations.saver.flush()  # nothing was forgotten
    row = await Stream.objects.aget()
    assert (row.seq, row.text, row.ended_at) == (0, "The ", None)


# --- requests that wait for an end ----------------------------------------------------------------


def assert_refused_by_shutdown(answer: Answer) -> None:
    answer.problem("shutting_down")
    assert int(answer.headers["retry-after"]) >= 1


async def test_who_waits_for_an_answer_that_is_left_is_sent_to_whoever_goes_on_with_it(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    endless = scripted("The ", {"hang": True})
    process.providers.use("scripted:x", endless)
    browser: Browser = await make_browser()
    question = {"prompt": "Why?", "request_id": new_request_id()}
    waiting = asyncio.ensure_future(browser.post_json(f"{START}?wait=1", question))
    await endless.until(lambda p: p.calls_open == 1)
    (feed,) = process.hub.feeds()
    await reached(feed, 0)
    await process.drain()
    async with asyncio.timeout(20):
        assert_refused_by_shutdown(await waiting)
        # Repeat the request to a draining process, which refuses to wait.
        assert_refused_by_shutdown(await browser.post_json(f"{START}?wait=1", question))
    row = await Stream.objects.aget()
    assert (row.process, row.status, row.text) == ("", "running", "The ")


async def test_who_waits_for_an_answer_that_ends_with_the_process_gets_its_end(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    endless = scripted("The ", {"hang": True})
    process.providers.use("scripted:x", endless)
    await make_block(on_generator_lost="fail")
    browser: Browser = await make_browser()
    waiting = asyncio.ensure_future(browser.post_json(f"{START}?wait=1", {"prompt": "Why?"}))
    await endless.until(lambda p: p.calls_open == 1)
    (feed,) = process.hub.feeds()
    await reached(feed, 0)
    await process.drain()
    stream = (await waiting).stream(200)
    assert (stream["status"], stream["error"]["code"]) == ("error", "shutting_down")
    assert stream["text"] == "The "


@pytest.mark.parametrize("by", ["id", "request_id"])
async def test_a_cancel_whose_end_is_not_seen_here_any_more_is_refused(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    play("The ", {"hang": True})
    request_id = new_request_id()
    reader = await browser.start(request_id=request_id)
    await reader.text("The ")
    released = hold_end(process, reader.stream_id, monkeypatch)
    if by == "id":
        cancelling = browser.call("POST", f"/api/streams/{reader.stream_id}/cancel")
    else:
        cancelling = browser.call("POST", "/api/streams/cancel", {"request_id": request_id})
    waiting = asyncio.ensure_future(cancelling)
    async with asyncio.timeout(10):
        while (await process.log.status(reader.stream_id)).cancel_intent is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.connections.dismiss()
        assert_refused_by_shutdown(await waiting)
        released.set()
        await process.generations.ended(10)
    assert (await Stream.objects.aget()).status == "cancelled"  # the cancel was stored nevertheless


async def test_the_process_stays_until_who_waits_has_been_answered(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "GOODBYE_SECONDS", 20.0)

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:  # stopping takes a moment, and the drain may be cut short meanwhile
            process.connections.dismiss()
            await asyncio.sleep(0.1)

    waiting = asyncio.ensure_future(process.connections.until_dismissed(work()))
    await asyncio.sleep(0)
    await process.drain()
    assert waiting.done()
    assert isinstance(waiting.exception(), Refused)


async def test_a_time_limit_of_the_work_itself_is_not_taken_for_the_processs_end(
    process: Process,
) -> None:
    async def work() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await process.connections.until_dismissed(work())
    process.connections.dismiss()
    with pytest.raises(TimeoutError):
        await process.connections.until_dismissed(work())
