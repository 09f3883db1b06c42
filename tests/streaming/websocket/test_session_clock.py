"""Heartbeats, and clients that do not read: a session on the test's own clock.

Source: spec.md, "WebSocket" (ping, 1013).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from blocks.models import BlockType
from streaming.access.visitor import Visitor
from streaming.process import Process
from streaming.watching.connection import HEARTBEAT_SECONDS, STALLED_SECONDS, Connection
from streaming.websocket import outbox
from streaming.websocket.inbox import INBOX_AT_MOST
from streaming.websocket.outbox import OUTBOX_AT_MOST
from streaming.websocket.session import SocketSession
from tests.conftest import Play
from tests.support.schema import validate_server_frame

PING = '{"type":"ping"}'
START = '{"type":"start","block_type":"tale","prompt":"Why?"}'
MANY = 3 * (INBOX_AT_MOST + OUTBOX_AT_MOST)
PATIENCE_SECONDS = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0


class Client:
    """The client of a session, which reads until a test stops it."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_stuck = asyncio.Event()
        self.has_gone = False

    async def send(self, text: str) -> None:
        if not self.reads.is_set():
            self.is_stuck.set()
            await self.reads.wait()
        if self.has_gone:
            raise ConnectionError("the client has gone")
        frame = json.loads(text)
        validate_server_frame(frame)
        self.frames.put_nowait(frame)

    async def close(self, code: int) -> None:
        self.closed.set_result(code)

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.frames.get()


class Opened:
    def __init__(self, session: SocketSession, client: Client, connection: Connection) -> None:
        self.session = session
        self.client = client
        self.connection = connection


Open = Callable[[], Awaitable[Opened]]


@pytest.fixture
def clock(process: Process, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all new connections."""
    clock = Clock()
    monkeypatch.setattr(process.connections, "_now", lambda: clock.now)
    return clock


@pytest_asyncio.fixture
async def open_session(process: Process, clock: Clock, settings: Any) -> AsyncIterator[Open]:
    settings.LIMIT_FRAMES_PER_SECOND = 0  # the clock stands still
    sessions = []

    async def open_one() -> Opened:
        client = Client()
        before = set(process.connections)
        session = SocketSession(
            process,
            Visitor("anonymous:x", None, "x"),
            send=client.send,
            close=client.close,
            channel="c",
            follows=True,
            follows_user=False,
        )
        (connection,) = set(process.connections) - before
        sessions.append(session)
        await session.open()
        assert (await client.hear())["type"] == "hello"
        return Opened(session, client, connection)

    yield open_one
    for session in sessions:
        await session.aclose()


async def pass_time(clock: Clock, seconds: float, *opened: Opened) -> None:
    """Advance the clock; the keeper checks every second."""
    until = clock.now + seconds
    while clock.now < until:
        clock.now = min(clock.now + 1.0, until)
        for one in opened:
            one.connection.check()
        await asyncio.sleep(0)


async def heard_before_pong(opened: Opened) -> list[str]:
    await opened.session.receive(PING)
    heard: list[str] = []
    while (kind := (await opened.client.hear())["type"]) != "pong":
        heard.append(kind)
    return heard


async def held_up(opened: Opened) -> None:
    """Wait until the session accepts no more of the client's commands."""
    await opened.client.is_stuck.wait()
    for _ in range(4 * MANY):  # loop iterations, more than accepting everything would need
        await asyncio.sleep(0)
    assert opened.session._inbox.is_full


async def ask_unread(opened: Opened) -> asyncio.Task[None]:
    """Ask as a client that reads nothing; return when the session accepts no more commands."""
    opened.client.reads.clear()

    async def ask_on() -> None:
        for _ in range(MANY):
            await opened.session.receive(PING)

    asking = asyncio.create_task(ask_on())
    await held_up(opened)
    assert not asking.done()
    return asking


# --- heartbeats -----------------------------------------------------------------------------


async def test_after_silence_comes_a_ping_and_another_after_as_much_again(
    open_session: Open, clock: Clock
) -> None:
    opened = await open_session()
    for _ in range(3):
        await pass_time(clock, HEARTBEAT_SECONDS + 2, opened)
        assert await opened.client.hear() == {"type": "ping"}
        assert opened.client.frames.empty()  # just sent: no second one
    assert HEARTBEAT_SECONDS == 15


async def test_there_is_no_ping_before_it_is_time_or_where_something_was_said(
    open_session: Open, clock: Clock
) -> None:
    opened = await open_session()
    for _ in range(3):  # the pong counts as a sign of life
        await pass_time(clock, HEARTBEAT_SECONDS - 1, opened)
        assert await heard_before_pong(opened) == []


# --- no progress ------------------------------------------------------------------------------


async def test_a_client_that_reads_nothing_for_thirty_seconds_is_closed_with_its_code(
    process: Process, open_session: Open, clock: Clock, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    opened, other = await open_session(), await open_session()
    await opened.session.receive(START)
    while (await opened.client.hear())["type"] != "chunk":
        pass
    opened.client.reads.clear()
    await opened.session.receive(PING)
    await opened.client.is_stuck.wait()
    await pass_time(clock, STALLED_SECONDS - 1, opened, other)
    assert not opened.client.closed.done()
    await pass_time(clock, 3, opened, other)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await opened.client.closed == 1013
    assert STALLED_SECONDS == 30
    assert list(process.connections) == [other.connection]  # nothing of it is kept
    assert not [bell for feed in process.hub.feeds() for bell in feed.bells]
    assert len(process.on_switches) == 1
    assert process.manager.running == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(MANY):  # further input delays nobody
            await opened.session.receive(PING)
    assert await heard_before_pong(other) == ["ping", "ping"]


async def test_one_that_reads_slowly_is_kept(open_session: Open, clock: Clock) -> None:
    opened = await open_session()
    for _ in range(3):
        opened.client.reads.clear()
        opened.client.is_stuck.clear()
        await opened.session.receive(PING)
        await opened.client.is_stuck.wait()
        await pass_time(clock, STALLED_SECONDS - 1, opened)
        opened.client.reads.set()
        assert (await opened.client.hear())["type"] == "pong"
    assert not opened.client.closed.done()


async def test_a_goodbye_that_does_not_get_through_is_aborted_too(
    open_session: Open, clock: Clock, settings: Any
) -> None:
    opened = await open_session()
    opened.client.reads.clear()
    clock.now += settings.STREAM_MAX_AGE_SECONDS
    opened.connection.check()
    await opened.client.is_stuck.wait()
    await pass_time(clock, STALLED_SECONDS + 2, opened)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await opened.client.closed == 1013


async def test_a_close_that_does_not_get_through_is_given_up(
    open_session: Open, clock: Clock, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CLOSING_SECONDS", 0.01)
    opened = await open_session()
    writing = opened.connection.task
    assert writing is not None
    opened.client.reads.clear()

    async def never(code: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(opened.session._outbox, "_close", never)
    await opened.session.receive(PING)
    await opened.client.is_stuck.wait()
    await pass_time(clock, STALLED_SECONDS + 2, opened)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait({writing})
    assert writing.exception() is None
    assert not process.connections


async def test_one_that_asks_and_does_not_read_is_held_up_and_loses_nothing(
    open_session: Open,
) -> None:
    opened = await open_session()
    asking = await ask_unread(opened)
    assert len(opened.session._outbox._pending) <= OUTBOX_AT_MOST + 1
    opened.client.reads.set()
    for _ in range(MANY):
        assert (await opened.client.hear())["type"] == "pong"
    await asking


async def test_when_it_disconnects_its_unread_replies_hold_nobody_up(
    open_session: Open, process: Process
) -> None:
    """Otherwise its disconnect message is never received, and the session stays for good."""
    opened = await open_session()
    asking = await ask_unread(opened)
    opened.client.has_gone = True
    opened.client.reads.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asking
    assert not process.connections
    assert (
        len(opened.session._outbox._pending) <= OUTBOX_AT_MOST + 1
    )  # nobody would read the replies
