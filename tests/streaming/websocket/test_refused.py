"""Refused requests over a WebSocket: the reply names the request, and nothing else ends.

Source: spec.md, "WebSocket" and "Errors".
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from blocks.models import BlockType
from streaming import start_request as starting
from streaming.database import store
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.asking import (
    NO_STREAM,
    ask,
    ask_on_new_socket,
    new_request_id,
    refusal,
)
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider

START: dict[str, Any] = {"type": "start", "block_type": "tale", "prompt": "Why?"}
WORDS = {
    "type": "object",
    "properties": {"words": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
}


# --- refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"block_type": "nothing"}, "unknown_block"),
        ({"block_type": ""}, "unknown_block"),
        ({"block_type": "ta\0le"}, "unknown_block"),
        ({"block_type": "\ud800"}, "unknown_block"),
        ({"block_type": "../tale"}, "unknown_block"),
        ({"block_type": "x" * 5_000}, "unknown_block"),
        ({"block_type": "hidden"}, "unknown_block"),
        ({"block_type": None}, "invalid_input"),
        ({"block_type": ["tale"]}, "invalid_input"),
        ({"prompt": None}, "invalid_input"),
        ({"prompt": ""}, "invalid_input"),
        ({"prompt": " \n"}, "invalid_input"),
        ({"prompt": 5}, "invalid_input"),
        ({"prompt": ["Why?"]}, "invalid_input"),
        ({"prompt": "a\0b"}, "invalid_input"),
        ({"prompt": "a\ud800b"}, "invalid_input"),
        ({"prompt": "x" * 101}, "prompt_too_long"),
        ({"options": []}, "invalid_input"),
        ({"options": "x"}, "invalid_input"),
        ({"options": {"words": 10}}, "invalid_input"),
        ({"options": {"words": "3"}}, "invalid_input"),
        ({"options": {"words": None}}, "invalid_input"),
        ({"options": {"words": [[[]]]}}, "invalid_input"),
        ({"options": {"wrong": 1}}, "invalid_input"),
        ({"options": {"\ud800": 1}}, "invalid_input"),
        ({"temperature": 2}, "invalid_input"),
    ],
)
async def test_a_start_that_cannot_be_is_refused_by_its_ref_and_starts_nothing(
    browser: Browser, make_block: MakeBlock, play: Play, changes: dict[str, Any], code: str
) -> None:
    await make_block(prompt_limit=100, options_schema=WORDS)
    await make_block("hidden", enabled=False)
    provider = play("Hello")
    socket = await browser.connect()
    request_id = new_request_id().upper()
    refused = await refusal(socket, **(START | changes), ref="a", request_id=request_id)
    assert refused["code"] == code
    assert refused["message"]
    assert (refused["ref"], refused["request_id"]) == ("a", request_id)
    assert "retry_after_ms" not in refused
    assert provider.calls_started == await Stream.objects.acount() == 0
    await socket.end_of(await ask(socket, ref="b"))  # the socket is unaffected


@pytest.mark.parametrize("request_id", ["", "x", 5, ["x"], "0" * 32, {"a": 1}])
async def test_a_request_id_that_is_no_uuid_is_refused(
    browser: Browser, block: BlockType, request_id: Any
) -> None:
    socket = await browser.connect()
    for frame in [{**START, "ref": "a"}, {"type": "cancel"}]:
        refused = await refusal(socket, **frame, request_id=request_id)
        assert refused["code"] == "invalid_input"
        assert refused["message"].startswith("request_id")
        assert refused.get("ref") == frame.get("ref")
        if isinstance(request_id, str):
            assert refused["request_id"] == request_id


@pytest.mark.parametrize("ref", ["\ud800", "a\0b", "\u2028", "x" * 200])
async def test_any_text_of_two_hundred_characters_may_be_a_ref(
    browser: Browser, block: BlockType, play: Play, ref: str
) -> None:
    play("Hello")
    socket = await browser.connect()
    echoed = "?" if ref == "\ud800" else ref  # no text can contain a lone surrogate
    await socket.say(**START, ref=ref)
    start = await socket.until("start")
    assert start["ref"] == echoed
    await socket.end_of(start["stream_id"])
    assert (await refusal(socket, type="start", ref=ref, block_type="no"))["ref"] == echoed


@pytest.mark.parametrize("ref", ["x" * 201, 5, ["a"], {}])
async def test_a_ref_that_is_none_is_refused_without_it(
    browser: Browser, block: BlockType, ref: Any
) -> None:
    socket = await browser.connect()
    refused = await refusal(socket, **START, ref=ref)
    assert refused["code"] == "invalid_input"
    assert "ref" not in refused


@pytest.mark.parametrize("kind", ["resume", "cancel"])
@pytest.mark.parametrize("stream_id", [NO_STREAM, "x", "", "A" * 23, "ä" * 22, "\0" * 22])
async def test_a_stream_that_was_never_there_is_not_found(
    browser: Browser, kind: str, stream_id: str
) -> None:
    socket = await browser.connect()
    await socket.say(type=kind, stream_id=stream_id)
    refused = await socket.until("refused")
    assert (refused["code"], refused["stream_id"]) == ("not_found", stream_id)


@pytest.mark.parametrize("owner", [None, "ada"])
@pytest.mark.parametrize("stranger", [None, "bob"])
async def test_somebody_elses_stream_is_not_found_and_goes_on(
    process: Process,
    block: BlockType,
    play: Play,
    make_browser: Any,
    owner: str | None,
    stranger: str | None,
) -> None:
    provider = play("The ", {"hang": True})
    mine = await (await make_browser(owner)).connect()
    stream_id = await ask(mine)
    await mine.text_of(stream_id, "The ")
    other = await (await make_browser(stranger)).connect()
    assert other.hello["active"] == []
    for kind, extra in [("resume", {"ref": "r", "after": 0}), ("cancel", {})]:
        await other.say(type=kind, stream_id=stream_id, **extra)
        refused = await other.until("refused")
        assert (refused["code"], refused["stream_id"]) == ("not_found", stream_id)
        assert refused.get("ref") == extra.get("ref")
    await other.say(type="leave", stream_id=stream_id)
    assert await other.before_pong() == []
    assert provider.calls_open == 1


# --- full, unreachable, stopping -----------------------------------------------------------


async def test_a_start_beyond_the_cap_is_over_capacity_with_a_time_to_retry(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(STREAM_MAX_RUNNING=1)
    process.providers.use(MODEL, scripted({"hang": True}))
    socket = await (await make_browser()).connect()
    request_id = new_request_id()
    stream_id = await ask(socket, request_id=request_id)
    refused = await refusal(socket, **START, ref="b")
    assert (refused["code"], refused["ref"]) == ("over_capacity", "b")
    assert refused["retry_after_ms"] >= 1000
    assert await ask(socket, ref="again", request_id=request_id) == stream_id  # not a new one
    await socket.say(type="cancel", stream_id=stream_id)
    await socket.end_of(stream_id)
    process.providers.use(MODEL, scripted("Hello"))
    await socket.end_of(await ask(socket, ref="c"))


async def test_a_start_while_the_server_drains_is_refused_and_what_runs_is_watched(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    draining = asyncio.create_task(process.drain())
    await asyncio.sleep(0)
    refused = await refusal(socket, **START, ref="b")
    assert (refused["code"], refused["ref"]) == ("shutting_down", "b")
    assert refused["retry_after_ms"] >= 1000
    model.say("Hello")
    model.finish()
    assert (await socket.end_of(stream_id))["type"] == "complete"
    await draining


async def test_commands_are_refused_while_the_database_is_unreachable_and_work_again_after(
    browser: Browser, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = play("Hello")
    socket = await browser.connect()
    request_id = new_request_id()

    def fail_unreachable(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("the database is locked")

    with monkeypatch.context() as patch:
        for module, name in [
            (store, "create"),
            (store, "find"),
            (store, "find_by_request"),
            (store, "add_intent"),
        ]:
            patch.setattr(module, name, fail_unreachable)
        for frame in [
            START | {"ref": "a"},
            START | {"ref": "a", "request_id": request_id},
            {"type": "resume", "ref": "a", "stream_id": NO_STREAM},
        ]:
            refused = await refusal(socket, **frame)
            assert (refused["code"], refused["ref"]) == ("store_unavailable", "a")
            assert refused["retry_after_ms"] > 0
        for name, value in [("stream_id", NO_STREAM), ("request_id", request_id)]:
            await socket.say(type="cancel", **{name: value})
            refused = await socket.until("refused")
            assert (refused["code"], refused[name]) == ("store_unavailable", value)
        patch.setattr(starting, "get_block", fail_unreachable)
        assert (await refusal(socket, **START))["code"] == "store_unavailable"
    assert provider.calls_started == 0
    assert (await socket.end_of(await ask(socket, ref="b")))["type"] == "complete"


async def test_a_command_that_breaks_is_refused_as_internal_and_the_socket_goes_on(
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    play("Hello")
    socket = await browser.connect()

    def break_down(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("canary")

    with monkeypatch.context() as patch:
        patch.setattr(starting, "get_block", break_down)
        refused = await refusal(socket, **START, ref="a")
    assert (refused["code"], refused["ref"]) == ("internal", "a")
    assert "canary" not in refused["message"]
    assert "canary" in caplog.text
    await socket.end_of(await ask(socket, ref="b"))
