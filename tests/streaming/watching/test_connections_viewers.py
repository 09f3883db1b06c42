"""How many streams one owner may watch at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.process import Process
from tests.conftest import MODEL, StartProcess, scripted
from tests.support.streaming.asking import ask

URL = "/api/stream/ai-block/tale"

pytestmark = pytest.mark.usefixtures("block")


async def begin(start_process: StartProcess) -> Process:
    process = await start_process(LIMIT_VIEWERS_PER_OWNER=2)
    process.providers.use(MODEL, scripted("one ", {"hang": True}))
    return process


async def test_one_viewer_too_many_is_refused_until_another_goes(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await begin(start_process)
    ada, bob = await make_browser(), await make_browser()
    first = await ada.start()
    stream_id = first.stream_id
    await ada.watch(stream_id)
    events = f"/api/streams/{stream_id}/events"
    words = "You are watching 2 answers at once. Close one of them first."
    refused = await ada.call("GET", events)
    assert refused.problem("too_many_streams")["detail"] == words
    assert int(refused.headers["retry-after"]) >= 1
    (
        await ada.call("POST", URL, {"prompt": "Why?"}, headers={"Accept": "text/event-stream"})
    ).problem("too_many_streams")
    await bob.start()
    await first.aclose()
    await ada.watch(stream_id)
    assert len(process.connections) == 3


async def test_of_many_viewers_at_once_no_more_get_through_and_refused_ones_hold_nothing(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await begin(start_process)
    ada = await make_browser()
    stream_id = (await ada.start_unwatched())["stream_id"]
    events = f"/api/streams/{stream_id}/events"
    exchanges = [ada._exchange("GET", events, None, b"", {}) for _ in range(8)]
    heads = await asyncio.gather(*(exchange.head() for exchange in exchanges))
    assert sorted(head.status for head in heads) == [200, 200, *[429] * 6]
    for exchange in exchanges:
        await exchange.aclose()
    await ada.call("GET", f"/api/streams/{'x' * 22}/events")  # not found
    readers = [await ada.watch(stream_id) for _ in range(2)]
    assert len(process.connections) == len(readers)


async def test_one_socket_watches_no_more_streams_than_that(
    start_process: StartProcess, make_browser: Any
) -> None:
    await begin(start_process)
    socket = await (await make_browser()).connect("/ws/stream?follow=none")
    first = await ask(socket, ref="a")
    await ask(socket, ref="b")
    start = {"type": "start", "block_type": "tale", "prompt": "Why?"}
    await socket.say(**start)
    assert (await socket.until("refused"))["code"] == "too_many_streams"
    await socket.say(type="resume", stream_id=first, ref="r", after=-1)
    await socket.until("start", ref="r")
    await socket.say(type="leave", stream_id=first)
    await ask(socket, ref="c")
