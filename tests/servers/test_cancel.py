"""A cancel reaches the provider: its connection is closed within a second, on either transport."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Awaitable, Iterator

import pytest

from tests.support.servers.harness import Database, Server, assert_can_be_quick, running
from tests.support.servers.upstream_process import UpstreamProcess, running_upstream
from tests.support.servers.visitor import Visitor

ENDLESS = "openai:openai+tokens=100000+every_ms=10"
MODELS = {  # block → behaviour of its upstream
    "explain-eli10": "openai:openai+silent",  # accepts the question and sends nothing
    "quiz": "openai:openai+stall+after=0",  # sends its headers, but no token
}
WITHIN_SECONDS = 1.0


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamProcess]:
    with running_upstream() as started:
        yield started


@pytest.fixture(scope="module")
def server(upstream: UpstreamProcess, module_database: Database) -> Iterator[Server]:
    with sqlite3.connect(module_database.path) as connection:
        for slug, model in MODELS.items():
            connection.execute(
                "UPDATE blocks_blocktype SET model = ? WHERE slug = ?", (model, slug)
            )
    connection.close()
    environment = {
        "AI_MODEL": ENDLESS,
        "AI_BASE_URL": upstream.base_url,
        "AI_API_KEY": "sk-test",
    }
    with running("serve", module_database, environment=environment) as started:
        yield started
        started.assert_unharmed()


class Cancelling:
    """Watches the upstream during a cancel."""

    def __init__(self, upstream: UpstreamProcess) -> None:
        self._upstream = upstream
        self._before = upstream.counts()

    async def until_called(self) -> None:
        await asyncio.to_thread(
            self._upstream.seconds_until, lambda counts: counts.calls > self._before.calls
        )
        assert self._upstream.counts().open_calls == 1

    async def measure(self, cancel: Awaitable[None]) -> float:
        """Cancel; return the time until the upstream's connection is closed, in seconds."""
        closing = asyncio.create_task(
            asyncio.to_thread(self._upstream.seconds_until, lambda counts: counts.open_calls == 0)
        )
        await cancel
        seconds = await closing
        counts = self._upstream.counts()
        assert counts.closed_early == self._before.closed_early + 1
        assert counts.calls == self._before.calls + 1  # and there is no second call
        return seconds


@pytest.mark.parametrize("by_request_id", [False, True], ids=["by stream", "by request"])
@pytest.mark.parametrize("block", ["ask-question", *MODELS])
async def test_a_cancel_over_http_closes_the_providers_connection(
    server: Server, upstream: UpstreamProcess, block: str, by_request_id: bool
) -> None:
    await assert_can_be_quick(
        lambda: cancel_over_http(server, upstream, block, by_request_id), within=WITHIN_SECONDS
    )


async def cancel_over_http(
    server: Server, upstream: UpstreamProcess, block: str, by_request_id: bool
) -> float:
    visitor = await Visitor.arrive(server.port)
    watch, request_id = Cancelling(upstream), str(uuid.uuid4())
    async with await visitor.ask("Why?", block, request_id=request_id) as client:
        stream_id = (await client.until_event("start"))["stream_id"]
        await watch.until_called()
        if block == "ask-question":
            await client.until(lambda c: len(c.events) > 5)

        async def cancel() -> None:
            path, data = f"/api/streams/{stream_id}/cancel", {}
            if by_request_id:
                path, data = "/api/streams/cancel", {"request_id": request_id}
            status, snapshot = await visitor.call("POST", path, data)
            assert (status, snapshot["status"]) == (200, "cancelled")

        seconds = await watch.measure(cancel())
        end = (await client.until_end())[-1]
    assert (end["type"], end["by"]) == ("cancelled", "owner")
    assert any(event["type"] == "chunk" for event in client.events) is (block == "ask-question")
    return seconds


@pytest.mark.parametrize("by_request_id", [False, True], ids=["by stream", "by request"])
@pytest.mark.parametrize("block", ["ask-question", *MODELS])
async def test_a_cancel_over_a_websocket_closes_the_providers_connection(
    server: Server, upstream: UpstreamProcess, block: str, by_request_id: bool
) -> None:
    await assert_can_be_quick(
        lambda: cancel_over_websocket(server, upstream, block, by_request_id), within=WITHIN_SECONDS
    )


async def cancel_over_websocket(
    server: Server, upstream: UpstreamProcess, block: str, by_request_id: bool
) -> float:
    visitor = await Visitor.arrive(server.port)
    watch, request_id = Cancelling(upstream), str(uuid.uuid4())
    async with visitor.socket() as socket:
        stream_id = await socket.start("Why?", block, request_id=request_id)
        await watch.until_called()
        if block == "ask-question":
            await socket.until(lambda frame: frame["type"] == "chunk")

        async def cancel() -> None:
            named = {"request_id": request_id} if by_request_id else {"stream_id": stream_id}
            await socket.send(type="cancel", **named)
            end = await socket.until_end(stream_id)
            assert (end["type"], end["by"]) == ("cancelled", "owner")

        seconds = await watch.measure(cancel())
    assert (await visitor.snapshot(stream_id))["status"] == "cancelled"
    return seconds


async def test_a_cancel_that_comes_before_its_start_keeps_the_provider_from_being_asked(
    server: Server, upstream: UpstreamProcess
) -> None:
    visitor = await Visitor.arrive(server.port)
    before, request_id = upstream.counts().calls, str(uuid.uuid4())
    status, answer = await visitor.call("POST", "/api/streams/cancel", {"request_id": request_id})
    assert (status, answer["status"], answer["stream_id"]) == (200, "cancelled", None)
    async with await visitor.ask("Why?", request_id=request_id) as client:
        events = await client.until_end()
    assert [event["type"] for event in events] == ["start", "cancelled"]
    assert upstream.counts().calls == before
