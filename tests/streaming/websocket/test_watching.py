"""Watching over a WebSocket: several streams, several sockets, and those that leave.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

import asyncio

import pytest

from blocks.models import BlockType
from streaming.errors import Refused
from streaming.process import Process
from streaming.watching.hub import Feed
from streaming.websocket import announcements
from tests.conftest import MakeBlock, Play
from tests.support.streaming.asking import ask, ask_on_new_socket
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.resuming import resume
from tests.support.streaming.tape import Tape

# --- leave ------------------------------------------------------------------------------


async def test_leave_stops_the_frames_of_that_stream_and_not_the_stream(
    browser: Browser, make_block: MakeBlock, process: Process
) -> None:
    models = {slug: DictatedProvider() for slug in ("left", "kept")}
    for slug, model in models.items():
        await make_block(slug, model=f"scripted:{slug}")
        process.providers.use(f"scripted:{slug}", model)
    socket = await browser.connect()
    left = await ask(socket, ref="l", block_type="left")
    kept = await ask(socket, ref="k", block_type="kept")
    onlooker = await browser.watch(left)
    models["left"].say("a")
    await socket.text_of(left, "a")
    await socket.say(type="leave", stream_id=left)
    assert await socket.before_pong() == []
    models["left"].say("b")
    models["left"].finish()
    assert (await onlooker.end())["type"] == "complete"
    models["kept"].say("c")
    models["kept"].finish()
    await socket.end_of(kept)
    assert await socket.before_pong() == []
    assert (socket.tape(left).text, onlooker.tape.text) == ("a", "ab")
    tape = socket.tape(left)
    await resume(socket, left, 0, tape)
    await socket.end_of(left)
    assert tape.text == "ab"


@pytest.mark.parametrize("stream_id", ["A" * 22, "own"])
async def test_to_leave_what_is_not_watched_is_no_fault(
    browser: Browser, block: BlockType, play: Play, stream_id: str
) -> None:
    play("Hello")
    socket = await browser.connect()
    own = await ask(socket)
    await socket.end_of(own)
    await socket.say(type="leave", stream_id=own if stream_id == "own" else stream_id)
    assert await socket.before_pong() == []


# --- several, deleted -------------------------------------------------------------------


async def test_a_viewer_far_behind_gets_neighbouring_chunks_as_one(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"repeat": 500, "steps": ["ab "]})
    reader = await browser.start()
    await reader.end()
    socket = await browser.connect()
    await resume(socket, reader.stream_id, -1, Tape())
    await socket.end_of(reader.stream_id)
    tape = socket.tape(reader.stream_id)
    assert tape.types == ["start", "chunk", "complete"]
    assert tape.text == "ab " * 500


async def test_ten_sockets_and_one_that_leaves_get_what_one_would(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    sockets = [await browser.connect() for _ in range(10)]
    stream_id = await ask(sockets[0])
    model.say("a")
    for socket in sockets:
        await socket.text_of(stream_id, "a")
    await sockets[9].aclose()
    model.say("b")
    model.finish()
    await asyncio.gather(*(socket.end_of(stream_id) for socket in sockets[:9]))
    assert {socket.tape(stream_id).text for socket in sockets[:9]} == {"ab"}


async def test_a_stream_that_can_t_be_had_when_it_is_announced_is_shown_when_it_can(
    browser: Browser,
    block: BlockType,
    model: DictatedProvider,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(announcements, "AGAIN_SECONDS", 0.01)
    first, other = await browser.connect(), await browser.connect()
    watch, refusals = process.manager.watch, 0

    async def away_at_first(stream_id: str, owner: str) -> Feed:
        nonlocal refusals
        if refusals < 3:
            refusals += 1
            raise Refused("store_unavailable")
        return await watch(stream_id, owner)

    monkeypatch.setattr(process.manager, "watch", away_at_first)
    stream_id = await ask(first)
    model.say("a")
    model.finish()
    await other.end_of(stream_id)
    assert other.tape(stream_id).text == "a"
    assert refusals == 3


async def test_what_runs_goes_on_when_its_socket_goes_away(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    model.say("a")
    await socket.text_of(stream_id, "a")
    await socket.aclose()
    assert not process.connections  # nothing of the socket is kept
    feed = process.hub.find(stream_id)
    assert feed is not None and not feed.bells
    model.say("b")
    model.finish()
    reader = await browser.watch(stream_id)
    assert (await reader.end())["type"] == "complete"
    assert reader.tape.text == "ab"
