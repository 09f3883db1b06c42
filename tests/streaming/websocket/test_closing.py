"""How sockets end: with a retry time, aborted if the client does not read, completely released.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from blocks.models import BlockType
from streaming import consumers
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.asking import ask, ask_on_new_socket
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider


def is_let_go(process: Process) -> bool:
    """Whether nothing of any socket is kept."""
    layer: Any = get_channel_layer()
    bells = [bell for feed in process.hub.feeds() for bell in feed.bells]
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    held = (process.connections, process.on_switches, bells, layer.groups, layer._listeners)
    return not any(held) and "Outbox.run" not in names


async def test_an_idle_socket_is_asked_to_reconnect_when_the_server_restarts(
    browser: Browser, process: Process
) -> None:
    sockets = [await browser.connect(), await browser.connect("/ws/stream?follow=none")]
    await process.drain()
    for socket in sockets:
        frame = await socket.hear()
        assert frame["type"] == "reconnect"
        assert frame["retry_ms"] > 0
        assert "stream_id" not in frame
        assert await socket.closed() == 1012
        await socket.aclose()
    assert is_let_go(process)


async def test_what_runs_comes_to_its_end_before_its_socket_is_closed(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    draining = asyncio.create_task(process.drain())
    assert await socket.before_pong() == []
    model.say("Hello")
    model.finish()
    assert (await socket.end_of(stream_id))["type"] == "complete"
    assert "stream_id" not in await socket.until("reconnect")
    assert await socket.closed() == 1012
    await draining


async def test_where_a_server_cannot_send_the_code_the_socket_is_closed_as_normal(
    process: Process, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = consumers.StreamConsumer.__call__

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def limited(message: Any) -> None:
            if message.get("code") in (1011, 1012, 1013):
                raise ValueError("no code for an application")  # so says Daphne
            await send(message)

        await real(self, scope, receive, limited)

    monkeypatch.setattr(consumers.StreamConsumer, "__call__", call)
    socket = await browser.connect()
    await process.drain()
    assert await socket.closed() == 1000


async def test_what_takes_too_long_is_left_and_its_socket_asked_to_reconnect(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    process.providers.use(MODEL, scripted("The ", {"hang": True}))
    socket, stream_id = await ask_on_new_socket(await make_browser())
    await socket.text_of(stream_id, "The ")
    await process.drain()
    assert (await socket.until("reconnect")).get("stream_id") == stream_id
    assert await socket.closed() == 1012
    assert socket.tape(stream_id).types == ["start", "chunk", "reconnect"]


async def test_what_may_not_be_taken_over_ends_as_shutting_down_and_then_the_socket(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    process = await start_process(STREAM_DRAIN_SECONDS=0.05)
    process.providers.use(MODEL, scripted("The ", {"hang": True}))
    await make_block(on_generator_lost="fail")
    socket, stream_id = await ask_on_new_socket(await make_browser())
    await socket.text_of(stream_id, "The ")
    await process.drain()
    terminal = await socket.end_of(stream_id)
    assert (terminal["type"], terminal["code"]) == ("error", "shutting_down")
    assert terminal["retryable"] is True
    assert "stream_id" not in await socket.until("reconnect")
    assert await socket.closed() == 1012


async def test_a_socket_that_comes_while_the_server_restarts_is_asked_to_reconnect(
    browser: Browser, process: Process
) -> None:
    await process.drain()
    socket = await browser.connect()
    assert (await socket.hear())["type"] == "reconnect"
    assert await socket.closed() == 1012


async def test_an_old_socket_gets_a_reconnect_for_each_stream_and_the_next_goes_on(
    browser: Browser,
    make_block: MakeBlock,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    now = 1000.0
    monkeypatch.setattr(process.connections, "_now", lambda: now)
    models = {slug: DictatedProvider() for slug in ("one", "two")}
    socket = await browser.connect()
    ids = {}
    for slug, model in models.items():
        await make_block(slug, model=f"scripted:{slug}")
        process.providers.use(f"scripted:{slug}", model)
        ids[slug] = await ask(socket, ref=slug, block_type=slug)
        model.say("a")
        await socket.text_of(ids[slug], "a")
    (connection,) = process.connections
    now += settings.STREAM_MAX_AGE_SECONDS - 1
    connection.check()
    assert {frame["type"] for frame in await socket.before_pong()} <= {"ping"}
    now += 1
    connection.check()
    for _ in ids:
        await socket.until("reconnect")
    assert all(socket.tape(stream_id).types[-1] == "reconnect" for stream_id in ids.values())
    assert await socket.closed() == 1012
    another = await browser.connect()
    for slug, stream_id in ids.items():
        tape = another.tapes[stream_id] = socket.tape(stream_id)
        tape.begin_again()
        await another.say(type="resume", ref=slug, stream_id=stream_id, after=tape.cursor)
        models[slug].say("b")
        models[slug].finish()
        await another.end_of(stream_id)
        assert tape.text == "ab"


@pytest.mark.parametrize("how", ["disconnect", "cancelled by the server"])
async def test_of_a_socket_that_has_gone_nothing_is_kept_and_its_streams_run(
    browser: Browser, block: BlockType, play: Play, process: Process, how: str
) -> None:
    provider = play("The ", {"hang": True})
    socket = await browser.connect()
    for _ in range(3):
        stream_id = await ask(socket, ref=f"{_}")
        await socket.text_of(stream_id, "The ")
    assert not is_let_go(process)
    if how == "disconnect":
        await socket.aclose()
    else:
        running = socket._wire.future
        running.cancel()
        await asyncio.wait({running})
    assert is_let_go(process)
    assert provider.calls_open == process.manager.running == 3


async def test_a_socket_that_disconnects_with_its_commands_under_way_leaves_nothing_behind(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    """Accepted commands are carried out, even without a connected client."""
    provider = play("The ", {"hang": True})
    socket = await browser.connect()
    for _ in range(5):
        await socket.say(type="start", block_type="tale", prompt="Why?")
    await provider.until(lambda p: p.calls_started >= 1)
    await socket.aclose()
    assert is_let_go(process)
    assert process.manager.running >= 1
