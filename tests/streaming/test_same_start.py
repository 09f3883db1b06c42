"""Many identical starts at once, on all transports: one stream, one provider call.

Source: spec.md, "HTTP" (`request_id`).
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable

from blocks.models import BlockType
from streaming.models import Stream
from streaming.protocol.events import TERMINAL_TYPES
from tests.conftest import MODEL, StartProcess, scripted
from tests.support.sizes import sized
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.socket import Socket

REQUESTS = sized(60, 200)
AT_ONCE = 20  # starters, each with all ten starts
TEXT = "The sky."

Outcome = tuple[str, str, int]  # stream_id, how it ended, seq of the end
Way = Callable[[str], Awaitable[Outcome]]


class Starter:
    """One visitor who repeats the same start in every possible way."""

    def __init__(self, browser: Browser, listeners: list[Listener]) -> None:
        self._browser = browser
        self._listeners = listeners

    @property
    def ways(self) -> list[Way]:
        by_socket = [listener.start for listener in self._listeners]
        return [*by_socket, *[self._by_events] * 3, *[self._by_json] * 2]

    async def _by_events(self, request_id: str) -> Outcome:
        reader = await self._browser.start(request_id=request_id)
        terminal = await reader.end()
        assert reader.tape.text == TEXT
        return reader.stream_id, terminal["type"], terminal["seq"]

    async def _by_json(self, request_id: str) -> Outcome:
        data = {"prompt": "Why?", "request_id": request_id}
        stream = (await self._browser.post_json(f"{START}?wait=1", data)).stream(200)
        assert stream["text"] == TEXT
        return stream["stream_id"], stream["status"], stream["seq"]


class Listener:
    """Receives the events of several streams on one socket, for all starts made there."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._ends: defaultdict[str, asyncio.Future[Outcome]] = defaultdict(
            asyncio.get_running_loop().create_future
        )

    async def hear(self, ends: int) -> None:
        while ends:
            frame = await self.socket.hear()
            if frame["type"] in TERMINAL_TYPES:
                ends -= 1
                tape = self.socket.tape(frame["stream_id"])
                assert tape.text == TEXT
                outcome = (frame["stream_id"], frame["type"], frame["seq"])
                self._ends[tape.events[0]["request_id"]].set_result(outcome)

    async def start(self, request_id: str) -> Outcome:
        await self.socket.say(
            type="start", ref=request_id, block_type="tale", prompt="Why?", request_id=request_id
        )
        return await self._ends[request_id]


async def test_ten_parallel_starts_of_each_request_are_one_stream(
    start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(STREAM_MAX_RUNNING=2 * REQUESTS)
    provider = scripted("The ", {"pause_ms": 20}, "sky.")
    process.providers.use(MODEL, provider)
    browser = Browser()
    await browser.call("GET", "/api/config")
    onlooker = Listener(await browser.connect())
    listeners = [Listener(await browser.connect("/ws/stream?follow=none")) for _ in range(5)]
    ways = Starter(browser, listeners).ways
    assert len(ways) == 10
    order = random.Random(50)
    outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
    async with asyncio.TaskGroup() as hearing:
        for listener in [*listeners, onlooker]:
            hearing.create_task(listener.hear(ends=REQUESTS))
        for _ in range(REQUESTS // AT_ONCE):
            requests = [new_request_id() for _ in range(AT_ONCE)]
            starts = [(request, way) for request in requests for way in ways]
            order.shuffle(starts)
            ended = await asyncio.gather(*(way(request) for request, way in starts))
            for (request, _), outcome in zip(starts, ended, strict=True):
                outcomes[request].append(outcome)

    assert len(outcomes) == REQUESTS
    assert all(len(ten) == 10 and len(set(ten)) == 1 for ten in outcomes.values())
    stream_ids = {ten[0][0] for ten in outcomes.values()}
    assert {ten[0][1:] for ten in outcomes.values()} == {("complete", 2)}
    assert len(stream_ids) == REQUESTS
    assert provider.calls_started == REQUESTS
    assert await Stream.objects.acount() == REQUESTS
    for listener in [*listeners, onlooker]:  # each stream is announced once, and no other
        assert listener.socket.tapes.keys() == stream_ids
        assert all(t.types.count("start") == 1 for t in listener.socket.tapes.values())
    await browser.aclose()
