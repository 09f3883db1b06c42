"""The sockets of a session: each shows all streams started in the session, and no others.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import get_channel_layer

from blocks.models import BlockType
from streaming.access.owners import session_group, user_group
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.asking import ask, new_request_id
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.socket import Socket

Ways = pytest.mark.parametrize("way", ["socket", "post", "get", "json"])


async def start(browser: Browser, way: str) -> str:
    """Start a stream in one of the possible ways; return its id."""
    if way == "socket":
        return await ask(await browser.connect())
    if way == "json":
        stream_id: str = (await browser.start_unwatched())["stream_id"]
        return stream_id
    if way == "get":
        return (await browser.events("GET", f"{START}?prompt=Why")).stream_id
    return (await browser.start()).stream_id


async def hears(socket: Socket, stream_id: str, text: str) -> None:
    """Check that the socket gets one announcement without a `ref`, and the whole stream."""
    start = await socket.until("start", stream_id=stream_id)
    assert "ref" not in start
    assert start["after"] == -1
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == text
    assert await socket.before_pong() == []


@Ways
async def test_what_is_started_anywhere_in_the_session_reaches_all_of_its_sockets(
    browser: Browser, block: BlockType, play: Play, way: str
) -> None:
    play("The ", "sky.")
    sockets = [await browser.connect() for _ in range(3)]
    stream_id = await start(browser, way)
    for socket in sockets:
        await hears(socket, stream_id, "The sky.")


@Ways
async def test_with_follow_none_only_what_is_asked_for_is_shown(
    browser: Browser, block: BlockType, play: Play, way: str
) -> None:
    play("The ", {"hang": True})
    alone = await browser.connect("/ws/stream?follow=none")
    onlooker = await browser.connect()
    stream_id = await start(browser, way)
    await onlooker.text_of(stream_id, "The ")  # the announcement was sent
    assert await alone.before_pong() == []
    await alone.say(type="resume", ref="r", stream_id=stream_id)
    await alone.until("start", ref="r")
    await alone.text_of(stream_id, "The ")
    own = await ask(alone)
    await alone.text_of(own, "The ")


async def test_with_follow_none_the_greeting_still_lists_what_runs(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    stream_id = await start(browser, "json")
    alone = await browser.connect("/ws/stream?follow=none")
    assert [stream["stream_id"] for stream in alone.hello["active"]] == [stream_id]


@Ways
@pytest.mark.parametrize("username", [None, "ada"])
async def test_another_sessions_streams_are_not_shown(
    process: Process,
    block: BlockType,
    play: Play,
    make_browser: Any,
    way: str,
    username: str | None,
) -> None:
    """Nor another session of the same user, unless requested with `follow=user`."""
    play("The ", {"hang": True})
    here, there = await make_browser(username), await make_browser(username)
    socket, onlooker = await here.connect(), await there.connect()
    stream_id = await start(there, way)
    await onlooker.text_of(stream_id, "The ")
    assert await socket.before_pong() == []
    late = await here.connect()
    assert late.hello["active"] == []
    if username is None:
        follower = await here.connect("/ws/stream?follow=user")
        assert follower.hello["active"] == []


@Ways
async def test_with_follow_user_all_sessions_of_the_user_are_shown(
    process: Process, block: BlockType, play: Play, make_browser: Any, way: str
) -> None:
    play("The ", "sky.")
    here, there, bob = [await make_browser(name) for name in ("ada", "ada", "bob")]
    follower = await here.connect("/ws/stream?follow=user")
    stranger = await bob.connect("/ws/stream?follow=user")
    for browser in (there, here):
        stream_id = await start(browser, way)
        await hears(follower, stream_id, "The sky.")
    play("The ", {"hang": True})
    stream_id = await start(there, way)
    await follower.text_of(stream_id, "The ")
    late = await here.connect("/ws/stream?follow=user")
    assert [stream["stream_id"] for stream in late.hello["active"]] == [stream_id]
    assert stranger.hello["active"] == []
    assert await stranger.before_pong() == []


@pytest.mark.parametrize("query", ["", "?follow=", "?follow=session", "?follow=%FF", "?x=none"])
async def test_any_other_follow_is_that_of_the_session(
    browser: Browser, block: BlockType, play: Play, query: str
) -> None:
    play("Hello")
    socket = await browser.connect(f"/ws/stream{query}")
    await hears(socket, await start(browser, "json"), "Hello")


async def test_for_the_anonymous_follow_user_is_that_of_the_session(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    socket = await browser.connect("/ws/stream?follow=user")
    await hears(socket, await start(browser, "json"), "Hello")


async def test_the_socket_that_asked_gets_one_start_with_its_ref(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    asking, onlooker = await browser.connect(), await browser.connect()
    stream_id = await ask(asking, ref="mine")
    await hears(onlooker, stream_id, "Hello")  # by now the announcement has reached both
    await asking.end_of(stream_id)
    assert await asking.before_pong() == []
    assert asking.tape(stream_id).types == ["start", "chunk", "complete"]
    assert asking.tape(stream_id).events[0]["ref"] == "mine"


async def test_nobody_hears_of_a_start_that_attached_to_an_earlier_one(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    request_id = new_request_id()
    first, onlooker = await browser.connect(), await browser.connect()
    stream_id = await ask(first, request_id=request_id)
    await hears(onlooker, stream_id, "Hello")
    reader = await browser.start(request_id=request_id)
    await reader.end()
    await ask(await browser.connect(), request_id=request_id)
    assert await onlooker.before_pong() == []


async def test_an_announcement_that_comes_late_or_twice_shows_nothing_again(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    socket = await browser.connect()
    left = await start(browser, "json")
    await socket.until("start", stream_id=left)
    await socket.say(type="leave", stream_id=left)
    model.finish()
    model.say("Hello")
    ended = await start(browser, "json")
    model.finish()
    await socket.end_of(ended)

    layer = get_channel_layer()
    feed = process.hub.find(ended)
    assert layer is not None and feed is not None
    for stream_id in (left, ended, "A" * 22):
        message = {"type": "stream.started", "stream_id": stream_id, "origin": "elsewhere"}
        await layer.group_send(session_group(feed.row.session), message)
    last = await start(browser, "json")
    await socket.until("start", stream_id=last)  # all announcements have arrived by now
    assert {frame.get("stream_id") for frame in await socket.before_pong()} <= {last}


async def test_an_announcement_shows_nobody_what_is_not_theirs(
    browser: Browser, block: BlockType, play: Play, process: Process, make_browser: Any
) -> None:
    play({"hang": True})
    stranger = await make_browser()
    hers = await start(stranger, "json")
    socket = await browser.connect()
    mine = await ask(socket)
    feed = process.hub.find(mine)
    layer = get_channel_layer()
    assert layer is not None and feed is not None
    message = {"type": "stream.started", "stream_id": hers, "origin": ""}
    await layer.group_send(session_group(feed.row.session), message)
    marker = await start(browser, "json")
    await socket.until("start", stream_id=marker)
    assert hers not in socket.tapes


async def test_a_socket_that_has_gone_has_left_its_group(
    process: Process, block: BlockType, make_browser: Any
) -> None:
    ada = await make_browser("ada")
    layer: Any = get_channel_layer()
    for path in ("/ws/stream", "/ws/stream?follow=user", "/ws/stream?follow=none"):
        socket = await ada.connect(path)
        assert len(layer.groups) == (0 if path.endswith("none") else 1)
        await socket.aclose()
        assert not layer.groups
    await ada.connect("/ws/stream?follow=user")
    (group,) = layer.groups
    assert group.startswith(user_group(0)[:-1])
