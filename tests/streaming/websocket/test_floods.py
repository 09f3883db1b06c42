"""A client that sends far too much is limited, and nobody else notices.

Source: spec.md, "WebSocket" (bounds).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from blocks.models import BlockType
from streaming.admission import replays
from streaming.admission.replays import Replays
from streaming.models import Stream
from streaming.process import Process
from streaming.watching.hub import Feed
from streaming.websocket.inbox import INBOX_CHARS
from streaming.websocket.recent import Recent
from streaming.websocket.session import (
    COMMANDS_AT_MOST,
    REMEMBERED_AT_MOST,
    SocketSession,
)
from tests.conftest import Play, StartProcess
from tests.support.streaming.asking import NO_STREAM, ask, ask_on_new_socket, new_request_id
from tests.support.streaming.browser import Browser
from tests.support.streaming.commands import HeldCalls
from tests.support.streaming.socket import Socket


class Clock:
    def __init__(self, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(process, "_now", lambda: self.now)


def session_of(process: Process) -> SocketSession:
    """Return the only session."""
    (connection,) = process.connections
    assert connection.task is not None
    coroutine: Any = connection.task.get_coro()
    session: SocketSession = coroutine.cr_frame.f_locals["self"]._on_over.__self__
    return session


# --- frames a second -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ping"},
        {"type": "cancel", "request_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12},
        {"type": "leave", "stream_id": NO_STREAM},
        {"type": "resume", "stream_id": NO_STREAM},
        {"type": "start", "block_type": "nothing", "prompt": "Why?"},
        {"type": "start"},
    ],
)
async def test_more_frames_than_the_bound_close_the_socket_with_4429(
    start_process: StartProcess,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    frame: dict[str, Any],
) -> None:
    process = await start_process(LIMIT_FRAMES_PER_SECOND=2)
    Clock(process, monkeypatch)
    socket = await (await make_browser()).connect()
    other = await (await make_browser()).connect()
    for _ in range(5):  # a burst is two seconds' worth
        await socket.say(**frame)
    assert await socket.closed() == 4429
    assert await other.before_pong() == []


async def test_frames_within_the_bound_are_all_answered(
    start_process: StartProcess, make_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await start_process(LIMIT_FRAMES_PER_SECOND=2)
    clock = Clock(process, monkeypatch)
    socket = await (await make_browser()).connect()
    for _ in range(4):
        assert await socket.before_pong() == []
    for _ in range(10):
        clock.now += 0.5
        assert await socket.before_pong() == []
    await socket.say(type="ping")
    assert await socket.closed() == 4429


async def test_the_usual_bound_leaves_a_busy_page_alone(browser: Browser) -> None:
    socket = await browser.connect()
    for _ in range(90):
        await socket.say(type="ping")
    assert [(await socket.hear())["type"] for _ in range(90)] == ["pong"] * 90


async def test_a_flood_is_not_worked_off_when_its_socket_has_been_closed(
    process: Process, browser: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 50
    held = HeldCalls(monkeypatch, process.manager, "store_cancel_by_request_id")
    socket = await browser.connect()
    for _ in range(2000):
        await socket.say(type="cancel", request_id=new_request_id())
    assert await socket.closed() == 4429
    await socket.aclose()
    held.may_go.set()
    assert held.calls <= COMMANDS_AT_MOST


async def test_large_frames_that_wait_are_bounded_by_their_size(
    process: Process, browser: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 50
    held = HeldCalls(monkeypatch, process.manager, "watch")
    socket = await browser.connect()
    await socket.say(type="resume", stream_id=NO_STREAM)
    await held.until(1, process)
    for _ in range(INBOX_CHARS // 60_000 + 1):
        await socket.say(type="start", block_type="tale", prompt="x" * 60_000)
    assert await socket.closed() == 4429
    await socket.aclose()
    held.may_go.set()


# --- memory --------------------------------------------------------------------------------


async def test_what_a_socket_remembers_of_streams_is_bounded(
    process: Process, browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    session = session_of(process)
    for number in range(3 * REMEMBERED_AT_MOST):
        session._shown.add(f"{number:022}")
    assert isinstance(session._left, Recent)
    assert len(session._shown) == REMEMBERED_AT_MOST
    for _ in range(40):
        await socket.say(type="leave", stream_id=stream_id)
        await socket.say(type="resume", ref="r", stream_id=stream_id, after=-1)
    await socket.before_pong()
    feed = process.hub.find(stream_id)
    assert feed is not None
    assert len(feed.bells) == 1
    assert socket.tape(stream_id).terminal is None


async def test_the_greeting_lists_no_more_than_the_newest_hundred(
    process: Process, browser: Browser, block: BlockType
) -> None:
    await browser.connect()
    visitor = session_of(process)._visitor
    now = timezone.now()
    await Stream.objects.abulk_create(
        Stream(
            id=f"{number:022}",
            owner=visitor.owner,
            session=visitor.session_id or "",
            block_type="tale",
            model="m",
            prompt="x",
            created_at=now,
            process="elsewhere",
            mark=0,
        )
        for number in range(120)
    )
    hello = (await browser.connect()).hello
    listed = [stream["stream_id"] for stream in hello["active"]]
    assert listed == [f"{number:022}" for number in range(119, 19, -1)]


# --- replays -------------------------------------------------------------------------------


async def long_stream(socket: Socket, play: Play, events: int) -> str:
    play(*["a "] * events)
    stream_id = await ask(socket)
    await socket.end_of(stream_id)
    return stream_id


@pytest.fixture
def few_replays(process: Process, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A hundred events a second, and a burst of a thousand."""
    clock = Clock(process, monkeypatch)
    monkeypatch.setattr(replays, "BURST_SECONDS", 10.0)
    process.replays = Replays(100, now=process.now)
    return clock


async def test_what_is_asked_for_again_and_again_closes_the_socket_with_4429(
    few_replays: Clock, browser: Browser, make_browser: Any, block: BlockType, play: Play
) -> None:
    socket = await browser.connect()
    stream_id = await long_stream(socket, play, 400)
    for _ in range(2):
        del socket.tapes[stream_id]
        await socket.say(type="resume", ref="r", stream_id=stream_id, after=-1)
        await socket.until("start", ref="r")
        await socket.until("complete")
    await socket.say(type="resume", stream_id=stream_id, after=-1)
    await socket.say(type="resume", stream_id=stream_id, after=-1)
    assert await socket.closed() == 4429
    # Neither a new socket nor SSE evades the limit; a client that has everything is not delayed.
    again = await browser.connect()
    await again.say(type="resume", stream_id=stream_id, after=-1)
    assert await again.closed() == 4429
    answer = await browser.call("GET", f"/api/streams/{stream_id}/events?after=-1")
    answer.problem("rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await browser.call("GET", f"/api/streams/{stream_id}/events?after=400")).status == 204
    # Another visitor is served, and this one after a while.
    other = await make_browser()
    await long_stream(await other.connect(), play, 50)
    few_replays.now += 60
    reader = await browser.watch(stream_id)
    assert (await reader.end())["type"] == "complete"


async def test_a_cursor_that_brings_a_snapshot_is_counted_by_its_length(
    few_replays: Clock, browser: Browser, block: BlockType, play: Play
) -> None:
    play("word " * 2000, {"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    await socket.text_of(stream_id, "word " * 2000)
    await socket.say(type="resume", ref="r", stream_id=stream_id, after=10**9)
    await socket.until("snapshot")
    await socket.say(type="resume", ref="r", stream_id=stream_id, after=10**9)
    assert await socket.closed() == 4429


async def test_a_page_that_takes_up_seven_long_answers_again_and_again_is_well_within(
    process: Process, browser: Browser, block: BlockType, play: Play
) -> None:
    socket = await browser.connect()
    streams = [await long_stream(socket, play, 300) for _ in range(7)]
    for _ in range(5):
        page = await browser.connect("/ws/stream?follow=none")
        for stream_id in streams:
            await page.say(type="resume", ref=stream_id, stream_id=stream_id, after=-1)
        for stream_id in streams:
            await page.end_of(stream_id)
        await page.aclose()


async def test_feeds_of_what_is_watched_are_let_go_when_the_flood_ends(
    start_process: StartProcess, make_browser: Any, block: BlockType
) -> None:
    process = await start_process(LIMIT_FRAMES_PER_SECOND=5)
    browser = await make_browser()
    socket, stream_id = await ask_on_new_socket(browser)
    for _ in range(20):
        await socket.say(type="resume", stream_id=stream_id, after=-1)
    assert await socket.closed() == 4429
    feed: Feed | None = process.hub.find(stream_id)
    assert feed is None or not feed.bells
