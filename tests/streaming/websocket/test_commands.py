"""A client's commands over a WebSocket: starts, once or repeated, and pings.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

from typing import Any

from blocks.models import BlockType
from streaming.process import Process
from tests.conftest import MakeBlock, Play, scripted
from tests.support.streaming.asking import ask, new_request_id, refusal
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider

START: dict[str, Any] = {"type": "start", "block_type": "tale", "prompt": "Why?"}
WORDS = {
    "type": "object",
    "properties": {"words": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
}


# --- start -----------------------------------------------------------------------------


async def test_a_start_is_identified_by_its_ref_and_answered_to_its_end(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    socket = await browser.connect()
    stream_id = await ask(socket, ref="ref 1 é")
    terminal = await socket.end_of(stream_id)
    tape = socket.tape(stream_id)
    assert tape.types == ["start", "chunk", "chunk", "complete"]
    assert tape.text == "The sky."
    start = tape.events[0]
    assert (start["ref"], start["after"]) == ("ref 1 é", -1)
    assert (start["block_type"], start["model"], start["request_id"]) == ("tale", "x", None)
    assert terminal["finish_reason"] == "stop"
    assert await socket.before_pong() == []


async def test_a_start_without_a_ref_is_reported_without_one(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    socket = await browser.connect()
    await socket.say(**START)
    assert "ref" not in await socket.until("start")
    await socket.until("complete")
    assert await socket.before_pong() == []


async def test_the_start_comes_before_the_first_token(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    socket = await browser.connect()
    await ask(socket)
    assert await socket.before_pong() == []


async def test_options_and_defaults_arrive_at_the_stream(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block(options_schema=WORDS)
    play("Hello")
    socket = await browser.connect()
    for ref, options, kept in [("a", {"words": 5}, 5), ("b", {}, 3), ("c", None, 3)]:
        stream_id = await ask(socket, ref=ref, options=options)
        assert (await browser.resource(stream_id))["options"] == {"words": kept}


async def test_one_socket_carries_twenty_streams_at_once(
    browser: Browser, make_block: MakeBlock, process: Process
) -> None:
    refs = [f"r{number}" for number in range(20)]
    for ref in refs:
        await make_block(f"tale-{ref}", model=f"scripted:{ref}")
        tokens = [f"{ref}-{word} " for word in range(20)]
        provider = scripted({"pause_ms": 100}, {"tokens": tokens, "every_ms": 5})
        process.providers.use(f"scripted:{ref}", provider)
    socket = await browser.connect()
    for ref in refs:
        await socket.say(type="start", ref=ref, block_type=f"tale-{ref}", prompt="Why?")
    while len(socket.tapes) < 20 or not all(tape.terminal for tape in socket.tapes.values()):
        await socket.hear()
    texts = {tape.events[0]["ref"]: tape.text for tape in socket.tapes.values()}
    assert texts == {ref: "".join(f"{ref}-{word} " for word in range(20)) for ref in refs}
    assert all(tape.terminal["type"] == "complete" for tape in socket.tapes.values())  # type: ignore[index]


# --- request_id ------------------------------------------------------------------------


async def test_a_repeated_start_reports_where_the_stream_stands_and_goes_on(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    socket, other = await browser.connect(), await browser.connect()
    request_id = new_request_id()
    model.say("The ", "blue ")
    stream_id = await ask(socket, request_id=request_id)
    await socket.text_of(stream_id, "The blue ")
    again = await ask(socket, ref="b", request_id=request_id.upper())
    assert again == stream_id
    start = socket.tape(stream_id).events[-1]
    assert (start["ref"], start["after"], start["request_id"]) == ("b", 1, request_id)
    model.say("sky.")
    model.finish()
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).types == ["start", *["chunk"] * 2, "start", "chunk", "complete"]
    await other.end_of(stream_id)  # its tape would reject a second start
    assert other.tape(stream_id).text == "The blue sky."
    assert await other.before_pong() == []


async def test_the_same_start_after_the_end_is_the_same_answer_and_no_second_call(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("The ", "sky.")
    socket = await browser.connect()
    request_id = new_request_id()
    stream_id = await ask(socket, request_id=request_id)
    await socket.end_of(stream_id)
    other = await browser.connect("/ws/stream?follow=none")
    assert await ask(other, ref="b", request_id=request_id) == stream_id
    await other.end_of(stream_id)
    assert other.tape(stream_id).text == "The sky."
    assert provider.calls_started == 1
    assert await socket.before_pong() == []


async def test_a_request_id_with_other_input_is_a_conflict_and_the_first_goes_on(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block(options_schema=WORDS)
    provider = play({"hang": True})
    socket = await browser.connect()
    request_id = new_request_id()
    await ask(socket, request_id=request_id)
    others: list[dict[str, Any]] = [{"prompt": "How?"}, {"options": {"words": 2}}]
    for other in others:
        refused = await refusal(socket, **(START | other), ref="b", request_id=request_id)
        assert refused["code"] == "request_conflict"
        assert (refused["ref"], refused["request_id"]) == ("b", request_id)
    assert (provider.calls_started, provider.calls_open) == (1, 1)


async def test_another_visitors_request_id_is_another_stream(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    provider = play("Hello")
    request_id = new_request_id()
    mine = await ask(await browser.connect(), request_id=request_id)
    stranger = await make_browser()
    theirs = await ask(await stranger.connect(), request_id=request_id)
    assert mine != theirs
    await provider.until(lambda p: p.calls_started == 2)


# --- ping --------------------------------------------------------------------------------------


async def test_each_ping_is_answered_in_the_order_of_what_was_asked(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    socket = await browser.connect()
    await socket.say(type="ping")
    await socket.say(**START, ref="a")
    await socket.say(type="ping")
    assert [(await socket.hear())["type"] for _ in range(3)] == ["pong", "start", "pong"]
