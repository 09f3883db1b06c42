"""A cancel stops the local model itself: its process becomes idle, even before the first token."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.support.servers.harness import BUSY_SECONDS, Database, Server, eventually, running
from tests.support.servers.visitor import Visitor

WINDOW_SECONDS = 0.3
WORKED_SECONDS = 0.3  # of CPU: more than starting a request costs
IDLE_SECONDS = 0.04  # of CPU in a window
WITHIN_SECONDS = 1.0 + BUSY_SECONDS
LONG_PROMPT = " ".join(f"{number * 7919 % 9973}" for number in range(600))


@pytest.fixture(scope="module")
def server(module_database: Database) -> Iterator[Server]:
    with sqlite3.connect(module_database.path) as connection:
        # A prompt of its own: the demo model's recipe ends a shipped text after four sentences.
        connection.execute(
            "UPDATE blocks_blocktype SET prompt_limit = 10000, system_prompt = 'Tell long stories.'"
        )
    connection.close()
    environment = {"AI_MODEL": "local:smollm2-135m"}
    with running("serve", module_database, environment=environment) as started:
        yield started
        started.assert_unharmed()


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def until_busy(process: psutil.Process) -> None:
    begun = cpu_seconds(process)
    await eventually(lambda: cpu_seconds(process) - begun >= WORKED_SECONDS)


async def seconds_until_idle(process: psutil.Process) -> float:
    """Return the start of the first window in which the process used almost no CPU."""
    begun = time.monotonic()
    async with asyncio.timeout(60):
        while True:
            window, used = time.monotonic(), cpu_seconds(process)
            await asyncio.sleep(WINDOW_SECONDS)
            if cpu_seconds(process) - used <= IDLE_SECONDS:
                return window - begun


async def model_of(server: Server, visitor: Visitor) -> psutil.Process:
    """Return the model's process, loaded and idle."""
    async with await visitor.ask("Hi") as client:
        stream_id = (await client.until_event("start"))["stream_id"]
        await client.until_event("chunk", timeout_seconds=60)
        await visitor.call("POST", f"/api/streams/{stream_id}/cancel", {})
    (model,) = server.process.children(recursive=True)
    await seconds_until_idle(model)
    return model


@pytest.mark.parametrize("is_before_the_first_token", [False, True])
@pytest.mark.parametrize("transport", ["http", "websocket"])
async def test_after_a_cancel_the_local_model_is_idle(
    server: Server, transport: str, is_before_the_first_token: bool
) -> None:
    visitor = await Visitor.arrive(server.port)
    model = await model_of(server, visitor)
    prompt = LONG_PROMPT if is_before_the_first_token else "Tell me a long story about the sea."
    follows = "?follow=none" if transport == "http" else ""
    async with visitor.socket(follows) as socket, await visitor.ask(prompt) as client:
        stream_id = (await client.until_event("start"))["stream_id"]
        if not is_before_the_first_token:
            await client.until_event("chunk", timeout_seconds=60)
        await until_busy(model)
        if transport == "http":
            status, _ = await visitor.call("POST", f"/api/streams/{stream_id}/cancel", {})
            assert status == 200
        else:
            await socket.send(type="cancel", stream_id=stream_id)
            await socket.until_end(stream_id)
        assert await seconds_until_idle(model) < WITHIN_SECONDS
        events = await client.until_end()
    assert events[-1]["type"] == "cancelled"
    has_tokens = any(event["type"] == "chunk" for event in events)
    assert has_tokens is not is_before_the_first_token
    assert model.is_running()
