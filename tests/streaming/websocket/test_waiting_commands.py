"""Commands that wait are bounded in number, and hold up nobody else.

Source: spec.md, "WebSocket" (bounds).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from blocks.models import BlockType
from streaming import stream_manager
from streaming.access.owners import session_group
from streaming.admission.turns import TURNS_AT_MOST, Turns
from streaming.database import store
from streaming.models import CancelIntent, Stream
from streaming.process import Process
from streaming.websocket.session import COMMANDS_AT_MOST
from tests.conftest import Play
from tests.support.streaming.asking import NO_STREAM, ask, ask_on_new_socket, new_request_id
from tests.support.streaming.browser import Browser
from tests.support.streaming.commands import HeldCalls, heard_when_done
from tests.support.streaming.socket import Socket
from tests.support.streaming.viewing import hold_end

Ways = pytest.mark.parametrize("way", ["socket", "http"])


# --- running commands ----------------------------------------------------------------------


async def test_at_most_eight_commands_of_a_socket_are_under_way(
    process: Process, browser: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    process.turns = Turns(2 * COMMANDS_AT_MOST)  # the address's turns would be fewer
    held = HeldCalls(monkeypatch, process.manager, "store_cancel_by_request_id")
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
    process.turns = Turns(2 * COMMANDS_AT_MOST)
    held = HeldCalls(monkeypatch, process.manager, "store_cancel_by_request_id")
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
    held = HeldCalls(monkeypatch, process.manager, "store_cancel_by_request_id")
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
    socket, stream_id = await ask_on_new_socket(browser)
    row = await Stream.objects.aget(pk=stream_id)
    held = HeldCalls(monkeypatch, process.manager, "watch", only=NO_STREAM)
    for _ in range(5):
        await announce(process, NO_STREAM, session_group(row.session))
    await held.until(1, process)
    assert await socket.before_pong() == []
    await socket.say(type="cancel", stream_id=stream_id)
    assert (await socket.end_of(stream_id))["type"] == "cancelled"
    await socket.aclose()
    assert (held.now, held.most) == (0, 1)
    assert not process.connections


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
