"""Switches that change while sockets are open: announced, and effective for new starts.

Source: spec.md, "WebSocket" and "Switches".
"""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.models import StreamingSettings
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.asking import ask, ask_on_new_socket, refusal
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider


async def save(**values: Any) -> None:
    """Save the single row, as the admin does."""
    row = await StreamingSettings.objects.afirst() or StreamingSettings()
    for name, value in values.items():
        setattr(row, name, value)
    await sync_to_async(row.save)()


async def test_a_change_reaches_every_open_socket_and_what_starts_then_obeys(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("The ", "blue ", "sky.")
    stranger = await make_browser()
    sockets = [
        await browser.connect(),
        await browser.connect("/ws/stream?follow=none"),
        await stranger.connect(),
    ]
    await save(enabled=False, message="We are busy.")
    switches = {"enabled": False, "backend": "sse", "fallback": True, "paused": False}
    sent = {**switches, "message": "We are busy."}
    for socket in sockets:
        assert await socket.hear() == {"type": "settings", "streaming": sent}
    stream_id = await ask(sockets[0])
    await sockets[0].end_of(stream_id)
    assert sockets[0].tape(stream_id).types == ["start", "chunk", "complete"]
    assert sockets[0].tape(stream_id).text == "The blue sky."
    assert (await browser.connect()).hello["streaming"] == sent

    await save(enabled=None, message="")  # as configured
    assert (await sockets[2].until("settings"))["streaming"] == sockets[2].hello["streaming"]
    stream_id = await ask(sockets[2])
    await sockets[2].end_of(stream_id)
    assert sockets[2].tape(stream_id).types == ["start", *["chunk"] * 3, "complete"]


async def test_a_change_by_another_process_and_a_deletion_are_heard_too(browser: Browser) -> None:
    socket = await browser.connect()
    await save(message="One.")
    assert (await socket.hear())["streaming"]["message"] == "One."
    await StreamingSettings.objects.aupdate(message="Two.")  # sends no signal in this process
    assert (await socket.hear())["streaming"]["message"] == "Two."
    await sync_to_async(StreamingSettings.objects.all().delete)()
    assert (await socket.hear())["streaming"]["message"] == ""


async def test_saved_without_a_change_nothing_is_announced(browser: Browser) -> None:
    socket = await browser.connect()
    await save(enabled=True, backend="sse", fallback=True)  # the configured values
    assert await socket.before_pong() == []
    await save(message="Now.")
    heard = await socket.hear()
    assert (heard["type"], heard["streaming"]["message"]) == ("settings", "Now.")


async def test_where_sockets_are_switched_off_what_runs_goes_on_and_nothing_new_begins(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    model.say("a")
    await socket.text_of(stream_id, "a")
    await save(backend="sse", fallback=False)
    await socket.until("settings")
    frames: list[dict[str, Any]] = [
        {"type": "start", "block_type": "tale", "prompt": "Why?"},
        {"type": "resume", "stream_id": stream_id, "after": 0},
    ]
    for frame in frames:
        refused = await refusal(socket, **frame, ref="r")
        assert (refused["code"], refused["ref"]) == ("transport_not_selected", "r")
    closed = browser.socket()
    assert (await closed.handshake())["type"] == "websocket.accept"
    assert await closed.closed() == 4409
    model.say("b")
    model.finish()
    assert (await socket.end_of(stream_id))["type"] == "complete"
    assert socket.tape(stream_id).text == "ab"
    assert await socket.before_pong() == []  # it stays open


@pytest.mark.parametrize("is_running", [True, False])
async def test_what_an_answer_is_made_as_is_settled_at_its_start(
    start_process: StartProcess, block: BlockType, make_browser: Any, is_running: bool
) -> None:
    process = await start_process()
    model = DictatedProvider()
    process.providers.use(MODEL, model if is_running else scripted("a", "b"))
    socket = await (await make_browser()).connect()
    if is_running:
        stream_id = await ask(socket)
        model.say("a")
        await socket.text_of(stream_id, "a")
    await save(enabled=False)
    await socket.until("settings")
    if not is_running:
        stream_id = await ask(socket)
    model.say("b")
    model.finish()
    await socket.end_of(stream_id)
    chunks = [e["token"] for e in socket.tape(stream_id).events if e["type"] == "chunk"]
    assert chunks == (["a", "b"] if is_running else ["ab"])
