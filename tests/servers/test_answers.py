"""Answers end to end over real sockets, on our launcher and, where it differs, on Daphne."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.servers.conftest import on_both
from tests.support.servers.harness import Server
from tests.support.servers.visitor import START, Held, Visitor

LONG_SECONDS = 0.5
"""Of the two seconds before the first token, a busy machine may use up the rest."""

CLASS = 50
"""More than the turns of one address (streaming/admission/turns.py)."""

BLOCKS = ["ask-question", "explain-eli10", "quiz", "diagram"]


@pytest.mark.parametrize("block", BLOCKS)
async def test_each_block_answers_the_same_over_both_transports(server: Server, block: str) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("Why?", block) as client:
        sse = Held().take_all(await client.until_end())
    async with visitor.socket() as socket:
        stream_id = await socket.start("Why?", block)
        await socket.until_end(stream_id)
        websocket = Held().take_all(socket.events_of(stream_id))
    for held in (sse, websocket):
        assert held.terminal is not None and held.terminal["type"] == "complete"
        assert held.terminal["finish_reason"] == "stop"
    assert sse.text == websocket.text
    if block in ("ask-question", "explain-eli10"):
        assert sse.text.endswith("😀 done.")
    else:
        assert sse.text == "" and len(sse.items) >= 4
        assert list(sse.items) == list(websocket.items)
        assert sse.terminal is not None and sse.terminal["result"]["title"]
    kept = await visitor.snapshot(stream_id)
    assert kept["items"] == [{"path": p, "value": v} for p, v in websocket.items.items()]


async def test_a_class_behind_one_address_asks_at_the_same_moment(server: Server) -> None:
    async def ask(visitor: Visitor) -> str:
        headers = {"X-Forwarded-For": "192.0.2.7"}
        async with await visitor.open(f"{START}?prompt=Why", headers=headers) as client:
            return Held().take_all(await client.until_end()).text

    texts = await asyncio.gather(*(ask(Visitor(server.port)) for _ in range(CLASS)))
    assert len(set(texts)) == 1 and texts[0]


@on_both
async def test_headers_and_the_start_event_come_long_before_the_first_token(server: Server) -> None:
    visitor = Visitor(server.port)
    async with await visitor.ask("think for two seconds") as client:
        await client.until_event("start")
        started_at = time.monotonic()
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert client.headers["cache-control"] == "no-store, no-transform"
        assert client.headers["x-accel-buffering"] == "no"
        assert client.headers["content-encoding"] == "identity"
        assert client.reader.retry_ms == 1000
        assert [event["type"] for event in client.events] == ["start"]
        await client.until_event("chunk")
        assert time.monotonic() - started_at > LONG_SECONDS
        await client.until_end()
    assert visitor.cookies["sessionid"]


@on_both
async def test_an_answer_over_a_socket_says_start_long_before_the_first_token(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with visitor.socket() as socket:
        stream_id = await socket.start("think for two seconds")
        started_at = socket.times[-1]
        chunk = await socket.until(lambda frame: frame["type"] == "chunk")
        assert chunk["stream_id"] == stream_id
        assert socket.times[-1] - started_at > LONG_SECONDS


@on_both
async def test_tokens_arrive_over_time_and_not_in_one_piece(server: Server) -> None:
    visitor = Visitor(server.port)
    async with await visitor.ask("speak for a second") as client:
        events = await client.until_end()
    chunks = [t for t, e in zip(client.times, events, strict=True) if e["type"] == "chunk"]
    assert len(chunks) == 50
    # A second when nothing else runs. On a busy machine several tokens come at a time.
    assert chunks[-1] - chunks[0] > 0.4
    assert len(set(client.reads)) > 5


async def test_ten_views_of_one_stream_hold_the_same_while_one_of_them_drops(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    first = await visitor.ask("speak for a second")
    stream_id = (await first.until_event("start"))["stream_id"]
    views = await asyncio.gather(*(visitor.watch(stream_id) for _ in range(10)))
    await first.until(lambda client: len(client.events) > 10)
    first.reset()
    views[0].reset()
    ends = await asyncio.gather(*(view.until_end() for view in views[1:]))
    for view in views[1:]:
        view.close()
    held = [Held().take_all(events) for events in ends]
    assert {one.text for one in held} == {"tick " * 50}
    assert {one.terminal["type"] for one in held if one.terminal} == {"complete"}


async def test_ten_tabs_of_one_session_all_follow_what_one_of_them_starts(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)

    async def follow(opened: asyncio.Event, is_drop: bool) -> Held | None:
        async with visitor.socket() as socket:
            counted.append(1)
            if len(counted) == 10:
                opened.set()
            announced = await socket.until(lambda frame: frame["type"] == "start")
            assert "ref" not in announced
            if is_drop:
                await socket.until(lambda frame: frame["type"] == "chunk")
                socket.connection.transport.abort()
                return None
            await socket.until_end(announced["stream_id"])
            return Held().take_all(socket.events_of(announced["stream_id"]))

    counted: list[int] = []
    opened = asyncio.Event()
    tabs = [asyncio.create_task(follow(opened, number == 3)) for number in range(10)]
    await asyncio.wait_for(opened.wait(), 60)
    async with await visitor.ask("speak for a second") as client:
        own = Held().take_all(await client.until_end())
    held = [one for one in await asyncio.gather(*tabs) if one is not None]
    assert len(held) == 9
    assert {one.text for one in held} == {own.text} == {"tick " * 50}
