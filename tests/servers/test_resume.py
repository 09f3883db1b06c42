"""Connections cut anywhere, and clients that resume from their cursor, on either transport."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.servers.conftest import on_both
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.sse_client import ConnectionEnded
from tests.support.servers.upstream_process import UpstreamProcess, running_upstream
from tests.support.servers.visitor import Held, Visitor

TOKENS = 300
TEXT = "".join(f"w{number} " for number in range(TOKENS))


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamProcess]:
    with running_upstream() as started:
        yield started


@pytest.fixture(scope="module", params=["serve"])
def server(
    request: pytest.FixtureRequest, upstream: UpstreamProcess, module_database: Database
) -> Iterator[Server]:
    environment = {
        "AI_MODEL": f"openai:openai+tokens={TOKENS}+every_ms=8",
        "AI_BASE_URL": upstream.base_url,
        "AI_API_KEY": "sk-test",
    }
    with running(request.param, module_database, environment=environment) as started:
        yield started
        started.assert_unharmed()


class Wanderer:
    """A client that repeatedly disconnects, and alternates between the transports."""

    def __init__(self, visitor: Visitor, stream_id: str, transports: str, seed: int) -> None:
        self._visitor = visitor
        self._stream_id = stream_id
        self._transports = transports
        self._random = random.Random(seed)
        self.held = Held()
        self.connections = 0

    async def walk(self) -> Held:
        while self.held.terminal is None:
            transport = self._transports[self.connections % len(self._transports)]
            self.connections += 1
            await (self._by_sse() if transport == "s" else self._by_websocket())
        return self.held

    async def _by_sse(self) -> None:
        cursor = self.held.cursor
        if self._random.random() < 0.5:
            client = await self._visitor.watch(self._stream_id, cursor)
        else:  # like an EventSource: repeats the GET that started it
            client = await self._visitor.open(
                "/api/stream/ai-block/ask-question?prompt=Why",
                headers={"Last-Event-ID": f"{self._stream_id}:{cursor}"},
            )
        async with client:
            assert client.status == 200
            try:
                await client.read_bytes(self._random.randrange(1, 4000))
            except ConnectionEnded:
                assert client.has_ended and client.events[-1]["type"] == "complete"
            client.reset()
        self.held.take_all(client.events)
        if client.events:
            assert client.reader.last_event_id == f"{self._stream_id}:{self.held.cursor}"

    async def _by_websocket(self) -> None:
        async with self._visitor.socket("?follow=none") as socket:
            await socket.send(
                type="resume", ref="r", stream_id=self._stream_id, after=self.held.cursor
            )
            start = await socket.receive()
            assert start["type"] == "start" and start["ref"] == "r"
            self.held.take(start)
            for _ in range(self._random.randrange(1, 60)):
                self.held.take(await socket.receive())
                if self.held.terminal is not None:
                    break
            socket.connection.transport.abort()


@on_both
async def test_whatever_is_cut_where_the_union_is_the_whole_and_the_model_is_asked_once(
    server: Server, upstream: UpstreamProcess
) -> None:
    before = upstream.counts().calls
    visitor = await Visitor.arrive(server.port)
    first = await visitor.ask("Why")
    await first.read_bytes(200)
    stream_id = (await first.until_event("start"))["stream_id"]
    first.reset()
    walkers = [
        Wanderer(visitor, stream_id, transports, seed)
        for seed, transports in enumerate(["s", "w", "sw", "ws", "ssw", "wws", "s", "sw"])
    ]
    for held in await asyncio.gather(*(walker.walk() for walker in walkers)):
        assert held.text == TEXT
        assert held.snapshots == 0
        assert held.terminal is not None and held.terminal["type"] == "complete"
        assert held.cursor == TOKENS  # 0 … 299, and the end
    assert sum(walker.connections for walker in walkers) > 2 * len(walkers)
    snapshot = await visitor.snapshot(stream_id)
    assert snapshot["text"] == TEXT and snapshot["seq"] == TOKENS
    assert snapshot["status"] == "complete"
    assert upstream.counts().calls == before + 1


async def test_an_answer_goes_on_while_nobody_watches(
    server: Server, upstream: UpstreamProcess
) -> None:
    visitor = await Visitor.arrive(server.port)
    first = await visitor.ask("Why")
    await first.until(lambda client: len(client.events) > 5)
    first.reset()
    stream_id = first.events[0]["stream_id"]
    held = Held().take_all(first.events)
    upstream.seconds_until(lambda counts: counts.open_calls == 0)
    async with await visitor.watch(stream_id, held.cursor) as again:
        held.take_all(await again.until_end())
    assert held.text == TEXT


async def test_a_cursor_that_is_the_end_is_answered_204_so_that_an_event_source_stops(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("Why") as client:
        events = await client.until_end()
    async with await visitor.watch(events[0]["stream_id"], events[-1]["seq"]) as again:
        assert again.status == 204
