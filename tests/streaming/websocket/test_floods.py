"""A client that sends far too much is limited, and nobody else notices.

Source: spec.md, "WebSocket" (bounds).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from blocks.models import BlockType
from streaming import stream_manager
from streaming.access.visitor import session_group
from streaming.admission import replays
from streaming.admission.replays import Replays
from streaming.database import store
from streaming.models import CancelIntent, Stream
from streaming.process import TURNS_AT_MOST, Process
from streaming.watching.hub import Feed
from streaming.websocket.inbox import INBOX_CHARS
from streaming.websocket.recent import Recent
from streaming.websocket.session import (
    COMMANDS_AT_MOST,
    REMEMBERED_AT_MOST,
    SocketSession,
)
from tests.conftest import Play, StartProcess
from tests.support.streaming.asking import NO_STREAM, ask, new_request_id
from tests.support.streaming.browser import Browser
from tests.support.streaming.socket import Socket
from tests.support.streaming.viewing import hold_end

Ways = pytest.mark.parametrize("way", ["socket", "http"])


class Clock:
    def __init__(self, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(process, "_now", lambda: self.now)


class Held:
    """Method calls that wait for their release, and their highest number at a time."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, only: str = ""
    ) -> None:
        self.may_go = asyncio.Event()
        self.now = self.most = self.calls = 0
        self._has_come = asyncio.Event()
        inner: Callable[..., Any] = getattr(owner, name)

        async def held(*args: Any, **kwargs: Any) -> Any:
            if only and only not in args:
                return await inner(*args, **kwargs)
            self.calls += 1
            self.now += 1
            self.most = max(self.most, self.now)
            self._has_come.set()
            try:
                await self.may_go.wait()
            finally:
                self.now -= 1
            return await inner(*args, **kwargs)

        monkeypatch.setattr(owner, name, held)

    async def until(self, count: int, process: Process) -> None:
        """Wait until this many calls wait, and all other commands have arrived."""
        async with asyncio.timeout(10):
            while self.now < count:
                self._has_come.clear()
                await self._has_come.wait()
        for _ in range(50):  # commands arrive one by one from this thread
            await process.asking.run(int)


async def heard_when_done(process: Process, socket: Socket) -> list[dict[str, Any]]:
    """Return everything received until no command is running."""
    heard = await socket.before_pong()
    async with asyncio.timeout(10):
        while len(process.turns):
            heard += await socket.before_pong()
    return heard + await socket.before_pong()


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
    held = Held(monkeypatch, process.manager, "store_cancel_by_request_id")
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
    held = Held(monkeypatch, process.manager, "watch")
    socket = await browser.connect()
    await socket.say(type="resume", stream_id=NO_STREAM)
    await held.until(1, process)
    for _ in range(INBOX_CHARS // 60_000 + 1):
        await socket.say(type="start", block_type="tale", prompt="x" * 60_000)
    assert await socket.closed() == 4429
    await socket.aclose()
    held.may_go.set()


# --- running commands ----------------------------------------------------------------------


async def test_at_most_eight_commands_of_a_socket_are_under_way(
    process: Process, browser: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    held = Held(monkeypatch, process.manager, "store_cancel_by_request_id")
    socket = await browser.connect()
    for _ in range(60):
        await socket.say(type="cancel", request_id=new_request_id())
    await held.until(COMMANDS_AT_MOST, process)
    held.may_go.set()
    assert await heard_when_done(process, socket) == []
    assert (held.calls, held.most) == (60, COMMANDS_AT_MOST)


async def test_a_socket_that_goes_away_takes_its_commands_along(
    process: Process, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch, process.manager, "store_cancel_by_request_id")
    socket = await browser.connect()
    for _ in range(90):
        await socket.say(type="cancel", request_id=new_request_id())
    await held.until(COMMANDS_AT_MOST, process)
    await socket.aclose()
    assert not process.connections
    held.may_go.set()  # commands that have begun are carried out
    while len(process.turns):  # noqa: ASYNC110 (there is no event)
        await asyncio.sleep(0)
    assert held.calls == COMMANDS_AT_MOST


async def test_many_sockets_of_a_visitor_have_so_many_commands_under_way_together(
    process: Process,
    browser: Browser,
    make_browser: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    held = Held(monkeypatch, process.manager, "store_cancel_by_request_id")
    other = await (await make_browser()).connect()
    sockets = [await browser.connect() for _ in range(5)]
    for socket in sockets:
        for _ in range(20):
            await socket.say(type="cancel", request_id=new_request_id())
    await held.until(TURNS_AT_MOST, process)
    assert await other.before_pong() == []
    held.may_go.set()
    for socket in sockets:
        assert await heard_when_done(process, socket) == []
    assert (held.calls, held.most) == (100, TURNS_AT_MOST)


async def test_cancels_that_wait_for_an_end_hold_nobody_up(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    play({"hang": True})
    sockets = [await browser.connect("/ws/stream?follow=none") for _ in range(4)]
    stream_id = await ask(sockets[0])
    may_end = hold_end(process, stream_id, monkeypatch)
    monkeypatch.setattr(stream_manager, "CANCEL_WAITS_SECONDS", 60.0)
    for socket in sockets:
        for _ in range(COMMANDS_AT_MOST - 1):
            await socket.say(type="cancel", stream_id=stream_id)
    for socket in sockets:
        await heard_when_done(process, socket)
    may_end.set()
    assert (await sockets[0].end_of(stream_id))["type"] == "cancelled"


# --- announcements -------------------------------------------------------------------------


async def announce(process: Process, stream_id: str, group: str) -> None:
    layer = get_channel_layer()
    assert layer is not None
    message = {"type": "stream.started", "stream_id": stream_id, "origin": "elsewhere"}
    await layer.group_send(group, message)


async def test_an_announcement_that_waits_for_its_row_holds_up_nothing_else(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play({"hang": True})
    socket = await browser.connect()
    stream_id = await ask(socket)
    row = await Stream.objects.aget(pk=stream_id)
    held = Held(monkeypatch, process.manager, "watch", only=NO_STREAM)
    for _ in range(5):
        await announce(process, NO_STREAM, session_group(row.session))
    await held.until(1, process)
    assert await socket.before_pong() == []
    await socket.say(type="cancel", stream_id=stream_id)
    assert (await socket.end_of(stream_id))["type"] == "cancelled"
    await socket.aclose()
    assert (held.now, held.most) == (0, 1)
    assert not process.connections


# --- memory --------------------------------------------------------------------------------


async def test_what_a_socket_remembers_of_streams_is_bounded(
    process: Process, browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    socket = await browser.connect()
    stream_id = await ask(socket)
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


# --- cancels that arrive before their starts -------------------------------------------------


async def cancel_by_request(
    process: Process, browser: Browser, socket: Socket, way: str
) -> dict[str, Any] | None:
    """Cancel a start that has not arrived; return the refusal, if any."""
    request_id = new_request_id()
    if way == "http":
        answer = await browser.post_json("/api/streams/cancel", {"request_id": request_id})
        if answer.status == 200:
            return None
        assert int(answer.headers["retry-after"]) > 0
        return answer.problem("rate_limited")
    await socket.say(type="cancel", request_id=request_id)
    heard = await heard_when_done(process, socket)
    assert all(frame["type"] == "refused" for frame in heard)
    return heard[0] if heard else None


@Ways
async def test_an_owner_s_cancels_that_wait_for_a_start_are_bounded(
    process: Process, browser: Browser, make_browser: Any, settings: Any, way: str
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    socket = await browser.connect()
    for _ in range(store.CANCEL_INTENTS_AT_MOST):
        assert await cancel_by_request(process, browser, socket, way) is None
    refused = await cancel_by_request(process, browser, socket, way)
    assert refused is not None
    assert refused["code"] == "rate_limited"
    assert await CancelIntent.objects.acount() == store.CANCEL_INTENTS_AT_MOST

    other = await make_browser()
    assert await cancel_by_request(process, other, await other.connect(), way) is None
    await CancelIntent.objects.filter().aupdate(created_at=timezone.now() - timedelta(days=1))
    assert await cancel_by_request(process, browser, socket, way) is None


@Ways
async def test_a_cancel_of_a_stream_that_is_there_or_one_said_again_never_counts(
    process: Process, browser: Browser, block: BlockType, play: Play, settings: Any, way: str
) -> None:
    play({"hang": True})
    settings.LIMIT_FRAMES_PER_SECOND = 0
    socket = await browser.connect()
    said = new_request_id()
    await socket.say(type="cancel", request_id=said)
    for _ in range(store.CANCEL_INTENTS_AT_MOST - 1):
        assert await cancel_by_request(process, browser, socket, "socket") is None
    started = new_request_id()
    await ask(socket, request_id=started)
    for request_id in (said, started):
        if way == "http":
            answer = await browser.post_json("/api/streams/cancel", {"request_id": request_id})
            assert answer.status == 200
        else:
            await socket.say(type="cancel", request_id=request_id)
            heard = await heard_when_done(process, socket)
            assert "refused" not in {frame["type"] for frame in heard}


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
    socket = await browser.connect()
    stream_id = await ask(socket)
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
    socket = await browser.connect()
    stream_id = await ask(socket)
    for _ in range(20):
        await socket.say(type="resume", stream_id=stream_id, after=-1)
    assert await socket.closed() == 4429
    feed: Feed | None = process.hub.find(stream_id)
    assert feed is None or feed.bells == set()
