"""The admin's switches over real HTTP: effective within a second, and announced to open sockets."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.schema import validate_config, validate_problem
from tests.support.servers.admin_browser import STREAMS, SWITCHES, AdminBrowser
from tests.support.servers.harness import BUSY_SECONDS, Database, Server, running
from tests.support.servers.visitor import Held, Socket, Visitor

WITHIN_SECONDS = 1.0


class Change:
    """A completed change of the switches, and the effects due within a second."""

    def __init__(self, visitor: Visitor, expected: dict[str, Any]) -> None:
        self._visitor = visitor
        self._expected = expected
        self._answered_at = time.monotonic()

    def _assert_in_time(self) -> None:
        assert time.monotonic() - self._answered_at < WITHIN_SECONDS + BUSY_SECONDS

    def _is_met(self, streaming: dict[str, Any]) -> bool:
        return self._expected.items() <= streaming.items()

    async def until_in_config(self) -> None:
        while True:
            status, config = await self._visitor.call("GET", "/api/config")
            assert status == 200
            validate_config(config)
            if self._is_met(config["streaming"]):
                return self._assert_in_time()
            self._assert_in_time()

    async def until_told(self, socket: Socket) -> None:
        frame = await socket.until(lambda one: one["type"] == "settings")
        assert self._is_met(frame["streaming"]), frame
        self._assert_in_time()


async def change(
    admin: AdminBrowser, visitor: Visitor, socket: Socket, fields: dict[str, str], **expected: Any
) -> None:
    await admin.submit(SWITCHES, **fields)
    changed = Change(visitor, expected)
    await asyncio.gather(changed.until_in_config(), changed.until_told(socket))


async def test_streaming_is_switched_off_and_on_while_the_server_runs(server: Server) -> None:
    admin, visitor = await asyncio.gather(
        AdminBrowser.log_in(server.port), Visitor.arrive(server.port)
    )
    running_on = await visitor.ask("speak for a second")
    await running_on.until_event("chunk")
    async with visitor.socket("?follow=none") as socket:
        assert socket.frames[0]["streaming"]["enabled"] is True

        off = {"enabled": "False", "message": "Off for a while."}
        await change(admin, visitor, socket, off, enabled=False, message="Off for a while.")
        async with await visitor.ask("Why?") as client:
            events = await client.until_end()
        assert [event["type"] for event in events] == ["start", "chunk", "complete"]
        assert events[1]["token"].endswith("😀 done.")
        stream_id = await socket.start("Why?")
        await socket.until_end(stream_id)
        types = [frame["type"] for frame in socket.events_of(stream_id)]
        assert types == ["start", "chunk", "complete"]
        async with await visitor.ask("The Sun", "quiz") as client:
            types = [event["type"] for event in await client.until_end()]
        assert set(types) == {"start", "item", "complete"} and types.count("item") == 4

        # Running streams continue unchanged.
        async with running_on:
            held = Held().take_all(await running_on.until_end())
        assert held.text == "tick " * 50 and held.cursor == 50

        as_configured = {"enabled": "", "message": ""}
        await change(admin, visitor, socket, as_configured, enabled=True, message="")
        async with await visitor.ask("Why?") as client:
            assert len(await client.until_end()) > 10


async def test_the_transport_is_switched_and_the_other_one_refused(server: Server) -> None:
    admin, visitor = await asyncio.gather(
        AdminBrowser.log_in(server.port), Visitor.arrive(server.port)
    )
    start = "/api/stream/ai-block/ask-question"
    async with visitor.socket("?follow=none") as socket:
        assert socket.frames[0]["streaming"]["backend"] == "sse"

        fields = {"backend": "websocket"}
        await change(admin, visitor, socket, fields, backend="websocket", fallback=True)
        async with await visitor.ask("Why?") as client:
            assert (await client.until_end())[-1]["type"] == "complete"

        fields = {"fallback": "False"}
        await change(admin, visitor, socket, fields, backend="websocket", fallback=False)
        async with await visitor.open(start, method="POST", data={"prompt": "Why?"}) as refused:
            problem = await refused.json()
            assert refused.status == 409
        validate_problem(problem)
        assert (problem["code"], problem["selected"]) == ("transport_not_selected", "websocket")
        stream_id = await socket.start("Why?")
        assert (await socket.until_end(stream_id))["type"] == "complete"

        fields = {"backend": "sse"}
        await change(admin, visitor, socket, fields, backend="sse", fallback=False)
        await socket.send(type="start", ref="x", block_type="ask-question", prompt="Why?")
        answer = await socket.until(lambda frame: frame.get("ref") == "x")
        assert (answer["type"], answer["code"]) == ("refused", "transport_not_selected")
        with pytest.raises(ConnectionClosed) as closed:
            async with visitor.socket():
                pass
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4409

        fields = {"backend": "", "fallback": ""}
        await change(admin, visitor, socket, fields, backend="sse", fallback=True)
        async with visitor.socket() as another:
            stream_id = await another.start("Why?")
            assert (await another.until_end(stream_id))["type"] == "complete"


async def test_an_administrator_stops_a_stream_from_the_list(server: Server) -> None:
    admin, visitor = await asyncio.gather(
        AdminBrowser.log_in(server.port), Visitor.arrive(server.port)
    )
    async with await visitor.ask("speak for ever") as client:
        stream_id = (await client.until_event("start"))["stream_id"]
        await admin.act(STREAMS, "cancel", stream_id)
        end = (await client.until_end())[-1]
    assert (end["type"], end["by"]) == ("cancelled", "admin")


async def until_accepted(visitor: Visitor, path: str, data: dict[str, str]) -> None:
    """Start until it succeeds; nothing but `paused` may refuse it, for a second."""
    until = time.monotonic() + WITHIN_SECONDS + BUSY_SECONDS
    while True:
        async with await visitor.open(path, method="POST", data=data) as client:
            if client.status == 200:
                assert (await client.until_end())[-1]["type"] == "complete"
                return
            assert (await client.json())["code"] == "paused"
        assert time.monotonic() < until


async def test_one_switch_stops_everything_in_every_process_and_off_restores_it(
    database: Database,
) -> None:
    """The second process has its own event log: nobody but itself can stop what it runs."""
    start, asked = "/api/stream/ai-block/ask-question", {"prompt": "Why?"}
    with running("serve", database) as one, running("serve", database) as other:
        admin = await AdminBrowser.log_in(one.port)
        visitors = [await Visitor.arrive(each.port) for each in (one, other)]
        async with AsyncExitStack() as open_streams:
            streams = [
                await open_streams.enter_async_context(await visitor.ask("speak for ever"))
                for visitor in visitors
            ]
            for stream in streams:
                await stream.until_event("chunk")
            stopping = asyncio.ensure_future(admin.submit(SWITCHES, paused="on"))
            ends = [
                (end["type"], end["by"])
                for end in [(await stream.until_end())[-1] for stream in streams]
            ]
            assert ends == [("cancelled", "admin")] * 2
            await stopping
        for visitor in visitors:
            await Change(visitor, {"paused": True}).until_in_config()
            async with await visitor.open(start, method="POST", data=asked) as refused:
                problem = await refused.json()
                assert (refused.status, problem["code"]) == (503, "paused")
        await admin.submit(SWITCHES, paused="")
        for visitor in visitors:
            await until_accepted(visitor, start, asked)
