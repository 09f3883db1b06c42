"""Cancelling over a WebSocket: by stream or by request, watched or not, early or late.

Source: spec.md, "WebSocket" and "HTTP" (cancel).
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from blocks.models import BlockType
from streaming import stream_manager
from streaming.access.owners import session_group
from streaming.database import store
from streaming.event_log.base import LogUnavailable
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.asking import ask, ask_on_new_socket, new_request_id
from tests.support.streaming.browser import Browser
from tests.support.streaming.socket import Socket
from tests.support.streaming.viewing import hold_end

Held = tuple[Socket, str, asyncio.Event]


@pytest.fixture
async def held(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> Held:
    """A socket, its running stream, and an event: the stream's end is not written before it."""
    play("The ", {"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    await socket.text_of(stream_id, "The ")
    return socket, stream_id, hold_end(process, stream_id, monkeypatch)


async def final_start(socket: Socket, stream_id: str) -> dict[str, Any]:
    """Return the `start` that reports the end of a stream that this socket does not watch."""
    tape = socket.tape(stream_id)
    tape.begin_again()
    start = await socket.until("start", stream_id=stream_id)
    assert "ref" not in start
    return start


@pytest.mark.parametrize("by", ["stream_id", "request_id"])
async def test_of_a_watched_stream_the_answer_is_its_end_alone(
    browser: Browser, block: BlockType, play: Play, by: str
) -> None:
    provider = play("The ", {"hang": True})
    socket = await browser.connect()
    request_id = new_request_id()
    stream_id = await ask(socket, request_id=request_id)
    await socket.text_of(stream_id, "The ")
    cancel = {"stream_id": stream_id, "request_id": request_id.upper()}
    await socket.say(type="cancel", **{by: cancel[by]})
    frame = await socket.hear()
    assert (frame["type"], frame["by"], frame["seq"]) == ("cancelled", "owner", 1)
    assert await socket.before_pong() == []
    assert (provider.calls_open, provider.closed_early) == (0, 1)
    assert (await browser.resource(stream_id))["status"] == "cancelled"


async def test_before_the_first_token_the_provider_is_closed_too(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play({"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    await provider.until(lambda p: p.calls_open == 1)
    await socket.say(type="cancel", stream_id=stream_id)
    assert (await socket.end_of(stream_id))["seq"] == 0
    assert (provider.calls_open, provider.closed_early) == (0, 1)


@pytest.mark.parametrize("by", ["stream_id", "request_id"])
@pytest.mark.parametrize("how", ["never", "left"])
async def test_of_a_stream_that_is_not_watched_the_answer_is_how_it_ended(
    browser: Browser, block: BlockType, play: Play, by: str, how: str
) -> None:
    play("The ", {"hang": True})
    request_id = new_request_id()
    socket = await browser.connect("/ws/stream?follow=none")
    onlooker = await browser.connect()
    if how == "left":
        stream_id = await ask(socket, request_id=request_id)
        await socket.say(type="leave", stream_id=stream_id)
    else:
        stream_id = (await browser.start_unwatched(request_id=request_id))["stream_id"]
    await onlooker.text_of(stream_id, "The ")
    cancel = {"stream_id": stream_id, "request_id": request_id}
    await socket.say(type="cancel", **{by: cancel[by]})
    start = await final_start(socket, stream_id)
    assert (start["status"], start["after"]) == ("cancelled", 1)
    assert await socket.before_pong() == []
    assert (await onlooker.end_of(stream_id))["seq"] == 1


@pytest.mark.parametrize("by", ["stream_id", "request_id"])
async def test_again_or_after_the_end_the_answer_is_how_it_ended(
    browser: Browser, block: BlockType, play: Play, by: str
) -> None:
    socket = await browser.connect()
    for steps, status in [(("The ", {"hang": True}), "cancelled"), (("The ",), "complete")]:
        provider = play(*steps)
        request_id = new_request_id()
        stream_id = await ask(socket, request_id=request_id)
        await socket.text_of(stream_id, "The ")
        cancel = {"stream_id": stream_id, "request_id": request_id}
        if status == "cancelled":
            await socket.say(type="cancel", **{by: cancel[by]})
        terminal = await socket.end_of(stream_id)
        for _ in range(2):
            await socket.say(type="cancel", **{by: cancel[by]})
            start = await final_start(socket, stream_id)
            assert (start["status"], start["after"]) == (status, terminal["seq"])
        assert await socket.before_pong() == []
        assert provider.calls_started == 1
        assert (await browser.resource(stream_id))["seq"] == terminal["seq"]


async def test_a_cancel_reaches_every_viewer_on_every_transport(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    reader = await browser.start()
    sockets = [await browser.connect() for _ in range(2)]
    for socket in sockets:
        await socket.say(type="resume", stream_id=reader.stream_id)
        await socket.text_of(reader.stream_id, "The ")
    await sockets[0].say(type="cancel", stream_id=reader.stream_id)
    terminal = await reader.end()
    assert terminal["type"] == "cancelled"
    for socket in sockets:
        assert await socket.end_of(reader.stream_id) == terminal


async def test_before_its_start_it_is_remembered_and_answered_by_that_start(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    socket = await browser.connect()
    request_id = new_request_id()
    await socket.say(type="cancel", request_id=request_id)
    await socket.say(type="start", ref="a", block_type="tale", prompt="Why?", request_id=request_id)
    start, end = await socket.hear(), await socket.hear()
    assert (start["type"], start["ref"], start["after"]) == ("start", "a", -1)
    assert (end["type"], end["by"], end["seq"]) == ("cancelled", "owner", 0)
    assert await socket.before_pong() == []
    assert provider.calls_started == 0
    assert (await Stream.objects.aget()).status == "cancelled"
    again = await browser.start(request_id=request_id)  # the same for every caller
    assert await again.end() == end


async def test_sent_right_behind_its_start_it_stops_the_stream(
    browser: Browser, block: BlockType, play: Play
) -> None:
    """Either of the two may run first."""
    provider = play("The ", {"hang": True})
    socket = await browser.connect()
    request_ids = [new_request_id() for _ in range(10)]
    for request_id in request_ids:
        await socket.say(
            type="start",
            ref=request_id,
            block_type="tale",
            prompt="Why?",
            request_id=request_id,
        )
        await socket.say(type="cancel", request_id=request_id)
    while sum(tape.terminal is not None for tape in socket.tapes.values()) < 10:
        await socket.hear()
    seen = {tape.events[0]["request_id"] for tape in socket.tapes.values()}
    assert seen == set(request_ids)
    assert all(tape.types[-1] == "cancelled" for tape in socket.tapes.values())
    assert provider.calls_open == 0


async def test_another_visitors_cancel_by_the_same_request_id_is_theirs(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    provider = play("The ", {"hang": True})
    socket, stranger = await browser.connect(), await (await make_browser()).connect()
    request_id = new_request_id()
    stream_id = await ask(socket, request_id=request_id)
    await socket.text_of(stream_id, "The ")
    await stranger.say(type="cancel", request_id=request_id)
    await stranger.say(type="start", block_type="tale", prompt="Why?", request_id=request_id)
    await stranger.until("cancelled")  # by now the stranger's cancel has been carried out
    assert provider.calls_open == 1
    assert await socket.before_pong() == []


async def test_commands_go_on_while_a_cancel_waits_for_the_end(held: Held) -> None:
    socket, stream_id, released = held
    await socket.say(type="cancel", stream_id=stream_id)
    assert await socket.before_pong() == []
    released.set()
    assert (await socket.end_of(stream_id))["type"] == "cancelled"


async def test_one_whose_end_is_not_seen_in_time_is_refused_and_carried_out_later(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_manager, "CANCEL_WAITS_SECONDS", 0.05)
    socket, stream_id, released = held
    await socket.say(type="cancel", stream_id=stream_id)
    refused = await socket.until("refused")
    assert (refused["code"], refused["stream_id"]) == ("store_unavailable", stream_id)
    assert refused["retry_after_ms"] >= 1000
    released.set()
    assert (await socket.end_of(stream_id))["type"] == "cancelled"


async def test_a_model_of_this_process_stops_though_log_and_database_are_unreachable(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = play("The ", {"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    await socket.text_of(stream_id, "The ")

    async def fail_unreachable(*args: Any) -> Any:
        raise LogUnavailable

    def locked(*args: Any) -> Any:
        raise OperationalError("the database is locked")

    monkeypatch.setattr(process.log, "store_cancel", fail_unreachable)
    monkeypatch.setattr(store, "add_intent_to_row", locked)
    await socket.say(type="cancel", stream_id=stream_id)
    assert (await socket.until("refused"))["code"] == "store_unavailable"
    assert (await socket.end_of(stream_id))["type"] == "cancelled"
    assert provider.closed_early == 1


async def test_a_stream_announced_while_its_cancel_waits_is_answered_once(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play("The ", {"hang": True})
    stream = await browser.start_unwatched()
    stream_id = stream["stream_id"]
    reader = await browser.watch(stream_id)
    await reader.text("The ")
    socket = await browser.connect()
    released = hold_end(process, stream_id, monkeypatch)
    await socket.say(type="cancel", stream_id=stream_id)
    assert await socket.before_pong() == []
    feed, layer = process.hub.find(stream_id), process.manager._starter._layer
    assert feed is not None and layer is not None
    message = {"type": "stream.started", "stream_id": stream_id, "origin": ""}
    await layer.group_send(session_group(feed.row.session), message)
    await socket.text_of(stream_id, "The ")
    released.set()
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).types == ["start", "chunk", "cancelled"]
    assert await socket.before_pong() == []


async def test_one_of_a_stream_that_is_left_meanwhile_is_answered_by_a_start(held: Held) -> None:
    socket, stream_id, released = held
    await socket.say(type="cancel", stream_id=stream_id)
    await socket.say(type="leave", stream_id=stream_id)
    assert await socket.before_pong() == []
    released.set()
    socket.tape(stream_id).begin_again()
    answer = await socket.hear()
    assert (answer["type"], answer["status"], answer["after"]) == ("start", "cancelled", 1)
