"""An exception in a body or a socket cuts its connection; server and answer are unharmed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from liveai.log_lines import WITHHELD
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.sse_client import ConnectionEnded
from tests.support.servers.visitor import TERMINAL, Held, Visitor

FAULTY = "tests.support.servers.asgi_faulty:application"
BROKEN_BLOCK = "explain-eli10"


@pytest.fixture(scope="module", params=["serve", "daphne"])
def server(request: pytest.FixtureRequest, module_database: Database) -> Iterator[Server]:
    with running(request.param, module_database, app=FAULTY) as started:
        yield started
        assert started.popen.poll() is None


async def assert_unharmed(visitor: Visitor, stream_id: str) -> None:
    """Check that the stream completes and that other visitors get answers."""
    status, snapshot = await visitor.call("GET", f"/api/streams/{stream_id}")
    assert status == 200
    while snapshot["status"] == "running":
        snapshot = await visitor.snapshot(stream_id)
    assert snapshot["status"] == "complete" and snapshot["text"].endswith("😀 done.")
    async with await visitor.ask("Why?") as client:
        held = Held().take_all(await client.until_end())
    assert held.text == snapshot["text"]


async def test_an_event_stream_that_breaks_ends_without_a_terminal_event_each_time(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    logged = server.output.count(f"RuntimeError: {WITHHELD}")
    for times in (1, 2, 3):  # a hang of Daphne's housekeeping shows at the second time
        async with await visitor.ask("Why?", BROKEN_BLOCK) as client:
            with contextlib.suppress(ConnectionEnded):  # a cut counts as an end
                await client.until_end()
        types = [event["type"] for event in client.events]
        assert types[0] == "start" and "chunk" in types
        assert set(types).isdisjoint(TERMINAL)
        assert server.output.count(f"RuntimeError: {WITHHELD}") == logged + times
        await assert_unharmed(visitor, client.events[0]["stream_id"])


async def test_a_socket_that_breaks_is_closed_so_that_its_client_comes_back(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    for _ in range(2):
        async with visitor.socket("?follow=none") as socket:
            stream_id = await socket.start("Why?", BROKEN_BLOCK)
            code = await socket.until_closed()
        assert code == (1011 if server.kind == "serve" else 1000)  # Daphne can't send 1011
        assert {frame["type"] for frame in socket.events_of(stream_id)} == {"start", "chunk"}
        await assert_unharmed(visitor, stream_id)
