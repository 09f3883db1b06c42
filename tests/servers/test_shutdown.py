"""SIGTERM and Ctrl+C: starts are refused, streams may finish, and every client is notified."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import uuid
from typing import Any

import psutil

from tests.support.servers.harness import BUSY_SECONDS, Database, running
from tests.support.servers.sse_client import SseClient
from tests.support.servers.stopping import Stopping
from tests.support.servers.visitor import Held, Socket, Visitor

DRAIN_SECONDS = 5
STOPPED_SECONDS = DRAIN_SECONDS + 2.0 + BUSY_SECONDS
AT_ONCE_SECONDS = 20.0  # where a drain could take a minute


async def until_draining(visitor: Visitor) -> dict[str, Any]:
    """Retry until a start is refused; return the refusal's headers and problem.

    Each start is cancelled beforehand, so that it never reaches the model.
    """
    while True:
        request_id = str(uuid.uuid4())
        await visitor.call("POST", "/api/streams/cancel", {"request_id": request_id})
        async with await visitor.open(
            "/api/stream/ai-block/ask-question",
            method="POST",
            data={"prompt": "Why?", "request_id": request_id},
        ) as client:
            if client.status == 503:
                problem = await client.json()
                return {**problem, "retry-after": client.headers["retry-after"]}
            assert client.status == 200


async def closing_of(socket: Socket) -> tuple[list[str], int | None]:
    """Return the types of all further frames, and the code that closed the socket."""
    before = len(socket.frames)
    code = await socket.until_closed()
    return [frame["type"] for frame in socket.frames[before:]], code


async def test_a_shutdown_under_twenty_streams_ends_the_short_and_leaves_the_rest_to_the_next(
    database: Database,
) -> None:
    environment = {"STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    with running("serve", database, environment=environment) as server:
        visitor = await Visitor.arrive(server.port)
        views: list[SseClient] = await asyncio.gather(
            *(visitor.ask("speak for a second") for _ in range(5)),
            *(visitor.ask("drip for ever") for _ in range(5)),
        )
        await asyncio.gather(*(view.until_event("chunk") for view in views))
        async with visitor.socket("?follow=none") as socket, visitor.socket("?follow=none") as idle:
            short = [await socket.start("speak for a second") for _ in range(5)]
            endless = [await socket.start("drip for ever") for _ in range(5)]

            stopping = Stopping(server)
            refused = await until_draining(visitor)
            assert refused["code"] == "shutting_down"
            assert int(refused["retry-after"]) >= 1
            await idle.send(type="start", ref="x", block_type="ask-question", prompt="Why?")
            answer = await idle.receive()
            assert (answer["type"], answer["code"]) == ("refused", "shutting_down")
            assert answer["retry_after_ms"] >= 1000

            # A viewer that reconnects meanwhile is served as usual.
            views[5].reset()
            lost = Held().take_all(views[5].events)
            resumed = await visitor.watch(views[5].events[0]["stream_id"], lost.cursor)
            assert resumed.status == 200
            views[5] = resumed

            everything = await asyncio.gather(*(view.until_end() for view in views))
            closings = await asyncio.gather(closing_of(socket), closing_of(idle))
        for view in views:
            view.close()
        lasts = [events[-1] for events in everything]
        assert [last["type"] for last in lasts[:5]] == ["complete"] * 5
        assert [last["type"] for last in lasts[5:]] == ["reconnect"] * 5
        for stream_id in short:
            assert (await socket.until_end(stream_id))["type"] == "complete"
        for stream_id in endless:
            assert socket.events_of(stream_id)[-1]["type"] == "reconnect"
        for types, code in closings:
            assert types[-1] == "reconnect"
            assert code == 1012
        assert "stream_id" not in idle.frames[-1]
        assert DRAIN_SECONDS <= await stopping.seconds() < STOPPED_SECONDS
        server.assert_nothing_broke()

    held = {
        events[0]["stream_id"]: (lost if number == 5 else Held()).take_all(events)
        for number, events in enumerate(everything)
        if number >= 5
    }
    held |= {stream_id: Held().take_all(socket.events_of(stream_id)) for stream_id in endless}
    with running("serve", database) as server:
        visitor.port = server.port
        for stream_id, one in held.items():
            async with await visitor.watch(stream_id, one.cursor) as view:
                await view.until_event("chunk")
                one.take_all(view.events)  # raises if an event is missing or repeated
            assert one.snapshots == 0
            assert ("drip " * len(one.text)).startswith(one.text)
            await visitor.call("POST", f"/api/streams/{stream_id}/cancel")
        server.assert_unharmed()


async def test_who_waits_for_a_whole_answer_is_told_when_to_ask_again(database: Database) -> None:
    """The answer continues after the restart, and a repeated request then waits for it."""
    environment = {"STREAM_DRAIN_SECONDS": "1"}
    path = "/api/stream/ai-block/ask-question?wait=1"
    question = {"prompt": "drip for ever", "request_id": str(uuid.uuid4())}
    with running("serve", database, environment=environment) as server:
        visitor = await Visitor.arrive(server.port)
        async with visitor.socket() as socket:  # receives announcements of the session's streams
            waiting = asyncio.ensure_future(
                visitor.open(
                    path, method="POST", data=question, headers={"Accept": "application/json"}
                )
            )
            stream_id = (await socket.until(lambda f: f["type"] == "chunk"))["stream_id"]
            server.signal(signal.SIGTERM)
            async with await waiting as client:
                problem = await client.json()
        assert (client.status, problem["code"]) == (503, "shutting_down")
        assert client.headers["content-type"] == "application/problem+json"
        assert int(client.headers["retry-after"]) >= 1
        assert await asyncio.to_thread(server.wait, 30) == 0
        server.assert_nothing_broke()
    with running("serve", database) as server:
        visitor.port = server.port
        waiting_again = asyncio.ensure_future(visitor.call("POST", path, question))
        async with await visitor.watch(stream_id) as view:
            await view.until_event("chunk")
        await visitor.call("POST", f"/api/streams/{stream_id}/cancel")
        status, stream = await waiting_again
        assert (status, stream["stream_id"], stream["status"]) == (200, stream_id, "cancelled")
        server.assert_unharmed()


async def test_a_second_ctrl_c_cuts_the_drain_short(database: Database) -> None:
    environment = {"STREAM_DRAIN_SECONDS": "60"}
    with running("serve", database, environment=environment, has_terminal=True) as server:
        visitor = await Visitor.arrive(server.port)
        async with await visitor.ask("begin and wait") as client:
            await client.until_event("chunk")
            server.press_ctrl_c()
            await until_draining(visitor)
            stopping = Stopping(server, server.press_ctrl_c)
            last = (await client.until_end())[-1]
        assert last["type"] == "reconnect"
        assert await stopping.seconds() < AT_ONCE_SECONDS
        server.assert_nothing_broke()


async def test_a_server_with_nothing_to_end_stops_at_once(database: Database) -> None:
    environment = {"STREAM_DRAIN_SECONDS": "60"}
    with running("serve", database, environment=environment) as server:
        visitor = await Visitor.arrive(server.port)
        async with visitor.socket() as socket:
            stopping = Stopping(server)
            assert await closing_of(socket) == (["reconnect"], 1012)
        assert await stopping.seconds() < AT_ONCE_SECONDS
        server.assert_nothing_broke()


async def test_the_local_model_goes_on_through_ctrl_c_until_the_drain_is_over(
    database: Database,
) -> None:
    # A prompt of its own: the demo model's recipe ends a shipped text after four sentences.
    with sqlite3.connect(database.path) as connection:
        connection.execute("UPDATE blocks_blocktype SET system_prompt = 'Tell long stories.'")
    connection.close()
    environment = {"STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS), "AI_MODEL": "local:smollm2-135m"}
    with running("serve", database, environment=environment, has_terminal=True) as server:
        visitor = await Visitor.arrive(server.port)
        async with await visitor.ask("Tell me a very long story about the sea.") as client:
            await client.until_event("chunk", timeout_seconds=60)
            children = server.process.children(recursive=True)
            assert children
            stopping = Stopping(server, server.press_ctrl_c)
            await until_draining(visitor)
            before = len(client.events)
            end = (await client.until_end())[-1]
            later = [at for at in client.times[before:] if stopping.elapsed(at) > 0.3]
            assert len(later) > 3, "no tokens came while it drained"
        assert end["type"] in ("complete", "reconnect")
        assert await stopping.seconds() < STOPPED_SECONDS
        _, left = psutil.wait_procs(children, timeout=30)
        assert left == []
        server.assert_nothing_broke()
