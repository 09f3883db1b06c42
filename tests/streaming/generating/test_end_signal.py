"""`stream_ended` is sent once for each stream, after its row has the end, and harms nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from io import StringIO
from queue import SimpleQueue
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from liveai.log_formatter import LogFormatter
from streaming.database import store
from streaming.database.store import find
from streaming.generating import end_signal
from streaming.generating.end_signal import EndSignals, stream_ended
from streaming.metrics.counted import REGISTRY
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.protocol.events import Event
from tests.conftest import Play
from tests.support.streaming.leaving import SharedLog, chunks, leave, look
from tests.support.streaming.viewing import VISITOR, read, start

Sent = dict[str, Any]
PATIENCE_SECONDS = 20
SECRET = "what a visitor wrote"


class Inbox:
    """A receiver. `take` waits for a signal on a thread, so the loop goes on."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Sent] = SimpleQueue()

    def __call__(self, **sent: Any) -> None:
        self.queue.put(
            sent | {"thread": threading.current_thread().name, "row": find(sent["stream_id"])}
        )

    async def take(self) -> Sent:
        return await asyncio.to_thread(self.queue.get, timeout=PATIENCE_SECONDS)


def cancels_counted() -> float:
    labels = {"block": "tale", "status": "cancelled", "code": "owner"}
    return REGISTRY.get_sample_value("liveai_streams_ended_total", labels) or 0.0


def dropped() -> float:
    return REGISTRY.get_sample_value("liveai_end_signals_dropped_total") or 0.0


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the process writes to its log."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    receiver = Inbox()
    stream_ended.connect(receiver)
    yield receiver
    stream_ended.disconnect(receiver)


async def test_a_complete_answer_is_told_when_its_row_holds_it(
    process: Process, block: BlockType, play: Play, inbox: Inbox
) -> None:
    play("Secret ", "words")
    feed = (await start(process, block)).feed
    await read(process, feed)
    sent = await inbox.take()
    assert sent["sender"] is Stream
    assert sent["thread"] == "stream-ends"
    row = sent["row"]
    assert (row.status, row.text) == ("complete", "Secret words")
    assert (sent["stream_id"], sent["block_type"]) == (feed.stream_id, block.slug)
    assert (sent["status"], sent["code"], sent["user_id"]) == ("complete", "stop", None)
    assert sent["usage"]["output_tokens"] == row.output_tokens == 2
    assert (sent["ttft_ms"], sent["created_at"]) == (row.ttft_ms, row.created_at)
    assert (sent["started_at"], sent["ended_at"]) == (row.started_at, row.ended_at)
    arguments = {name: value for name, value in sent.items() if name != "row"}
    assert "Secret" not in str(arguments) and "Why?" not in str(arguments)


@pytest.mark.parametrize(
    ("steps", "status", "code"),
    [
        ([{"fail": "provider_rejected"}], "error", "provider_rejected"),
        (["The ", {"hang": True}], "cancelled", "owner"),
    ],
)
async def test_errors_and_cancels_are_told_by_their_codes(
    process: Process, block: BlockType, play: Play, inbox: Inbox, steps: Any, status: str, code: str
) -> None:
    play(*steps)
    feed = (await start(process, block)).feed
    if status == "cancelled":
        await process.manager.cancel(feed.stream_id, VISITOR.owner, by="owner")
    sent = await inbox.take()
    assert (sent["status"], sent["code"]) == (status, code)


async def test_a_start_that_was_cancelled_before_it_arrived_is_told(
    process: Process, block: BlockType, play: Play, inbox: Inbox
) -> None:
    play("never")
    before = cancels_counted()
    request_id = "0d0e4ac8-8a30-4e02-a0a5-0ed2a8f6ba22"
    await process.manager.cancel_by_request_id(VISITOR, request_id)
    started = await start(process, block, request_id=request_id)
    sent = await inbox.take()
    assert (sent["stream_id"], sent["code"]) == (started.feed.stream_id, "owner")
    assert cancels_counted() == before + 1


async def test_an_end_that_another_process_wrote_is_not_told_here(
    process: Process, block: BlockType, play: Play, inbox: Inbox
) -> None:
    provider = play("The ", {"hang": True}, "end")
    feed = (await start(process, block)).feed
    await provider.until(lambda p: p.calls_open == 1)
    row = await Stream.objects.aget(pk=feed.stream_id)
    lost = events.error(row.id, row.mark + 1, code="generator_lost", message="x", retryable=True)
    await process.writes.run(store.end, row, lost)
    process.generations.cancel(feed.stream_id, "owner")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await process.generations.ended(PATIENCE_SECONDS)
    play("Next")
    following = (await start(process, block)).feed
    assert (await inbox.take())["stream_id"] == following.stream_id  # nothing came before it


async def test_an_answer_that_is_handed_over_has_not_ended(
    process: Process, block: BlockType, play: Play, inbox: Inbox
) -> None:
    provider = play("The ", {"hang": True})
    await start(process, block)
    await provider.until(lambda p: p.calls_open == 1)
    await process.manager.stop()
    await process.generations.signals.aclose()
    assert inbox.queue.empty()
    assert (await Stream.objects.aget()).process == ""
    assert not next(iter(process.tasks)).done()  # the saver goes on


async def test_an_end_that_only_the_log_has_is_told_by_the_process_that_copies_it(
    log: SharedLog, process: Process, block: BlockType, inbox: Inbox
) -> None:
    row = await leave(block)
    end = events.cancelled(row.id, 1, by="owner")
    before = cancels_counted()
    await log.put(row.id, *chunks(row, 0, "The "), end)
    await look(process)
    await look(process)
    await process.generations.signals.aclose()
    sent = inbox.queue.get_nowait()
    assert (sent["stream_id"], sent["status"], sent["row"].status) == (row.id, *["cancelled"] * 2)
    assert cancels_counted() == before + 1
    assert sent["ended_at"] == sent["row"].ended_at
    assert inbox.queue.empty()


async def test_a_row_that_only_lacks_the_time_of_its_end_is_told_when_it_has_it(
    log: SharedLog, process: Process, block: BlockType, inbox: Inbox
) -> None:
    row = await leave(block)
    end = events.cancelled(row.id, 2, by="owner")
    await Stream.objects.aupdate(status="cancelled", seq=2, terminal=end.to_dict())
    await look(process)
    await look(process)
    await process.generations.signals.aclose()
    sent = inbox.queue.get_nowait()
    assert (sent["stream_id"], sent["code"]) == (row.id, "owner")
    assert sent["ended_at"] is not None
    assert inbox.queue.empty()


async def test_a_receiver_that_fails_is_logged_and_harms_nobody(
    process: Process,
    block: BlockType,
    play: Play,
    inbox: Inbox,
    lines: StringIO,
) -> None:
    def fail(**_: Any) -> None:
        raise ValueError(SECRET)

    stream_ended.disconnect(inbox)
    stream_ended.connect(fail)
    stream_ended.connect(inbox)  # after the one that fails
    try:
        play("One")
        for _ in range(2):
            feed = (await start(process, block)).feed
            assert (await read(process, feed)).terminal["type"] == "complete"
            assert (await inbox.take())["stream_id"] == feed.stream_id
    finally:
        stream_ended.disconnect(fail)
    await process.generations.signals.aclose()  # the thread has logged all
    logged = lines.getvalue()
    assert logged.count(f"failed: {fail.__qualname__}.\n") == 2
    assert logged.count("ValueError: [text withheld]") == 2
    assert f" stream_id={feed.stream_id} WARNING streaming.generating.end_signal:" in logged
    assert SECRET not in logged


@pytest.mark.parametrize(
    "kind", [SystemExit, asyncio.CancelledError, KeyboardInterrupt, ValueError]
)
async def test_whatever_a_receiver_raises_the_ones_behind_it_are_told(
    transactional_db: None, inbox: Inbox, lines: StringIO, kind: type[BaseException]
) -> None:
    class Failing:
        """Has no `__qualname__`, as an object of `functools.partial`."""

        def __call__(self, **_: Any) -> None:
            raise kind(SECRET)

    async def fail(**_: Any) -> None:
        raise kind(SECRET)

    failing, signals, (row, terminal) = Failing(), EndSignals(), await ended_row()
    row.carrier = {"request_id": "the-request"}
    stream_ended.disconnect(inbox)
    for receiver in (failing, fail, inbox):  # the order in which they are called, but `fail` last
        stream_ended.connect(receiver)
    try:
        for _ in range(2):
            signals.tell(row, terminal)
            await inbox.take()
        await signals.aclose()
    finally:
        stream_ended.disconnect(failing)
        stream_ended.disconnect(fail)
    logged = lines.getvalue()
    for name in (Failing.__qualname__, fail.__qualname__):
        assert logged.count(f"A receiver of stream_ended failed: {name}.\n") == 2
    assert logged.count(f" request_id=the-request stream_id={row.id} WARNING ") == 4
    assert SECRET not in logged


async def test_a_broken_connection_of_the_thread_stops_no_signal(
    transactional_db: None, inbox: Inbox, lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(SECRET)

    monkeypatch.setattr(end_signal, "close_old_connections", fail)
    signals, (row, terminal) = EndSignals(), await ended_row()
    for _ in range(2):
        signals.tell(row, terminal)
        await inbox.take()
    await signals.aclose()
    assert SECRET not in lines.getvalue()


async def test_a_thread_that_could_not_be_started_or_has_died_is_started_for_the_next_end(
    transactional_db: None, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, lines: StringIO
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    signals, (row, terminal) = EndSignals(), await ended_row()
    with monkeypatch.context() as patch:
        patch.setattr(end_signal.threading.Thread, "start", refuse)
        for _ in range(3):
            signals.tell(row, terminal)
    assert lines.getvalue().count("stream_ended waits for a thread.") == 1
    signals.tell(row, terminal)
    for _ in range(4):
        await inbox.take()
    thread = signals._thread
    assert thread is not None
    signals._ends.put(None)
    await asyncio.to_thread(thread.join, PATIENCE_SECONDS)
    signals.tell(row, terminal)
    await inbox.take()
    await signals.aclose()


async def ended_row() -> tuple[Stream, Event]:
    row = Stream(id="0123456789abcdefghijkl", block_type="tale", model="x", owner="anonymous:a")
    return row, events.cancelled(row.id, 0, by="owner")


async def test_a_shutdown_sends_what_is_due(transactional_db: None, inbox: Inbox) -> None:
    signals, (row, terminal) = EndSignals(), await ended_row()
    for _ in range(50):
        signals.tell(row, terminal)
    await signals.aclose()
    assert inbox.queue.qsize() == 50
    await signals.aclose()


async def test_a_receiver_that_hangs_delays_no_shutdown_and_bounds_what_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(end_signal, "CLOSE_SECONDS", 0.05)
    monkeypatch.setattr(end_signal, "WAITING_AT_MOST", 3)
    begun, released = threading.Event(), threading.Event()
    calls = 0

    def hang(**_: Any) -> None:
        nonlocal calls
        calls += 1
        begun.set()
        released.wait(PATIENCE_SECONDS)

    stream_ended.connect(hang)
    before = dropped()
    signals, (row, terminal) = EndSignals(), await ended_row()
    try:
        signals.tell(row, terminal)
        await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        for _ in range(10):
            signals.tell(row, terminal)
        signals._ends.get()  # one place gets free, and is taken again at once
        for _ in range(3):
            signals.tell(row, terminal)
        assert caplog.text.count("signals are dropped") == 1
        assert dropped() == before + 9
        thread = signals._thread
        await signals.aclose()
        assert "does not return" in caplog.text
    finally:
        released.set()
        stream_ended.disconnect(hang)
    assert thread is not None
    await asyncio.to_thread(thread.join, PATIENCE_SECONDS)
    assert calls == 1  # the other three found no receiver any more


async def test_without_a_receiver_there_is_no_thread() -> None:
    signals, (row, terminal) = EndSignals(), await ended_row()
    signals.tell(row, terminal)
    assert signals._thread is None
    assert await sync_to_async(stream_ended.has_listeners)(Stream) is False
