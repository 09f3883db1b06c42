"""Silent connections send heartbeats; old ones are told to reconnect, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support.servers.harness import BUSY_SECONDS, Database, Server, running
from tests.support.servers.visitor import Held, Visitor

IMPATIENT = "tests.support.servers.asgi_impatient:application"
MAX_AGE_SECONDS = 5
BEATS = 2  # of the four or five that fit in


@pytest.fixture(scope="module", params=["serve", "daphne"])
def server(request: pytest.FixtureRequest, module_database: Database) -> Iterator[Server]:
    environment = {"STREAM_MAX_AGE_SECONDS": str(MAX_AGE_SECONDS)}
    with running(request.param, module_database, app=IMPATIENT, environment=environment) as started:
        yield started
        started.assert_unharmed()


async def test_silent_connections_show_signs_of_life_until_they_are_told_to_reconnect(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    await asyncio.gather(silent_event_stream(visitor), silent_sockets(visitor, server.kind))


async def silent_event_stream(visitor: Visitor) -> None:
    begun = asyncio.get_running_loop().time()
    async with await visitor.ask("begin and wait") as client:
        await client.until(lambda c: len(c.reader.comments) >= BEATS)
        assert [event["type"] for event in client.events] == ["start", "chunk"]
        cursor = client.reader.last_event_id
        events = await client.until_end()  # a regular end
        lived = asyncio.get_running_loop().time() - begun
    stream_id = events[0]["stream_id"]
    assert events[2:] == [{"type": "reconnect", "stream_id": stream_id, "retry_ms": 1000}]
    assert client.reader.last_event_id == cursor == f"{stream_id}:0"
    assert MAX_AGE_SECONDS - 0.5 < lived < MAX_AGE_SECONDS + BUSY_SECONDS

    async with await visitor.watch(stream_id, 0) as again:
        assert (await again.until_event("start"))["status"] == "running"
        await visitor.call("POST", f"/api/streams/{stream_id}/cancel", {})
        held = Held().take_all(client.events)
        held.take_all(await again.until_end())
    assert held.text == "It begins. "


async def silent_sockets(visitor: Visitor, kind: str) -> None:
    """Open one socket that watches a stream, and one that watches nothing."""
    async with visitor.socket("?follow=none") as socket, visitor.socket("?follow=none") as idle:
        stream_id = await socket.start("begin and wait")
        codes = await asyncio.gather(socket.until_closed(), idle.until_closed())
    assert codes == [1012 if kind == "serve" else 1000] * 2  # Daphne can't send 1012
    for one in (socket, idle):
        types = [frame["type"] for frame in one.frames]
        assert types.count("ping") >= BEATS
        assert types[-1] == "reconnect" and types.count("reconnect") == 1
    assert socket.frames[-1]["stream_id"] == stream_id
    assert "stream_id" not in idle.frames[-1]
    assert {"stream_id", "seq"}.isdisjoint(next(f for f in idle.frames if f["type"] == "ping"))
    await visitor.call("POST", f"/api/streams/{stream_id}/cancel", {})


async def test_an_answer_longer_than_a_connection_may_live_arrives_whole(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    json_first = {"Accept": "application/json"}
    status, snapshot = await visitor.call(
        "POST", "/api/stream/ai-block/ask-question", {"prompt": "speak slowly"}, json_first
    )
    assert status == 201
    stream_id = snapshot["stream_id"]

    async def by_sse(held: Held) -> None:
        async with await visitor.watch(stream_id, held.cursor) as client:
            held.take_all(await client.until_end())

    async def by_websocket(held: Held) -> None:
        async with visitor.socket("?follow=none") as socket:
            await socket.send(type="resume", ref="r", stream_id=stream_id, after=held.cursor)
            await socket.until(lambda frame: frame["type"] in ("reconnect", "complete"))
            held.take_all(socket.events_of(stream_id))

    async def follow(connect: Callable[[Held], Awaitable[None]]) -> Held:
        held, connections = Held(), 0
        while held.terminal is None:
            connections += 1
            assert connections < 10
            await connect(held)
        assert connections > 1
        return held

    for held in await asyncio.gather(follow(by_sse), follow(by_websocket)):
        assert held.terminal is not None and held.terminal["type"] == "complete"
        assert held.text == "slow and steady – über 😀 " * 60
        assert held.snapshots == 0
