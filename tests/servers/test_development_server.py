"""The same application under plain `runserver` and Daphne: answers, cuts and resumption."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.harness import Database, Server, running
from tests.support.servers.visitor import Held, Visitor

TEXT = "slow and steady – über 😀 " * 20


@pytest.fixture(scope="module", params=["runserver", "daphne"])
def server(request: pytest.FixtureRequest, module_database: Database) -> Iterator[Server]:
    environment = {"DJANGO_DEBUG": "true"} if request.param == "runserver" else {}
    with running(request.param, module_database, environment=environment) as started:
        yield started
        started.assert_unharmed()


async def cut_sse(visitor: Visitor, held: Held, stream_id: str, events: int) -> None:
    """Watch from the held cursor; disconnect after this many events, unless the end comes first."""
    async with await visitor.watch(stream_id, held.cursor) as client:
        await client.until(lambda c: len(c.events) >= events or c.has_ended)
        held.take_all(client.events)
        client.reset()


async def cut_websocket(visitor: Visitor, held: Held, stream_id: str, events: int) -> None:
    async with visitor.socket("?follow=none") as socket:
        await socket.send(type="resume", ref="r", stream_id=stream_id, after=held.cursor)
        while held.terminal is None and len(socket.frames) <= events:
            held.take(await socket.receive())
        socket.connection.transport.abort()


@pytest.mark.parametrize("is_sse_first", [True, False], ids=["begun by SSE", "begun by WebSocket"])
async def test_a_stream_that_is_cut_again_and_again_arrives_whole(
    server: Server, is_sse_first: bool
) -> None:
    visitor = await Visitor.arrive(server.port)
    held = Held()
    if is_sse_first:
        async with await visitor.ask("speak for two seconds") as client:
            await client.until(lambda c: len(c.events) > 10)
            held.take_all(client.events)
            client.reset()
        stream_id = client.events[0]["stream_id"]
    else:
        async with visitor.socket() as socket:
            stream_id = await socket.start("speak for two seconds")
            while len(socket.frames) < 10:
                await socket.receive()
            held.take_all(socket.events_of(stream_id))
            socket.connection.transport.abort()
    assert held.cursor > 0 and held.terminal is None
    while held.terminal is None:
        await cut_sse(visitor, held, stream_id, 20)
        if held.terminal is None:
            await cut_websocket(visitor, held, stream_id, 20)
    assert held.terminal["type"] == "complete"
    assert held.text == TEXT and held.snapshots == 0


async def test_a_structured_answer_and_a_cancel_work_as_ever(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("The Sun", "quiz") as client:
        held = Held().take_all(await client.until_end())
    assert held.terminal is not None and len(held.terminal["result"]["questions"]) == 3
    async with visitor.socket() as socket:
        stream_id = await socket.start("say nothing")
        await socket.send(type="cancel", stream_id=stream_id)
        assert (await socket.until_end(stream_id))["type"] == "cancelled"
