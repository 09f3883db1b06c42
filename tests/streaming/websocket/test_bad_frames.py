"""Invalid frames, and too many valid ones: each gets a reply, and nothing else suffers.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from blocks.models import BlockType
from streaming.protocol.commands import MAX_FRAME_BYTES
from tests.conftest import Play
from tests.support.streaming.asking import NO_STREAM, ask, ask_on_new_socket
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider

PING = '{"type":"ping"}'
UNREADABLE: dict[str, str | bytes] = {
    "empty": "",
    "no json": "hello",
    "half": '{"type":"ping"',
    "two": PING + PING,
    "a list": f"[{PING}]",
    "a text": '"ping"',
    "a number": "5",
    "null": "null",
    "nan": '{"type":"start","prompt":NaN}',
    "no type": "{}",
    "unknown type": '{"type":"pong"}',
    "type in capitals": '{"type":"PING"}',
    "type null": '{"type":null}',
    "type a list": '{"type":["ping"]}',
    "type with nul": '{"type":"ping\\u0000"}',
    "type a surrogate": '{"type":"\\ud800"}',
    "too deep": '{"type":"start","options":' + "[" * 30_000 + "]" * 30_000 + "}",
    "too deep, open": "[" * 60_000,
    "a huge number": '{"type":"resume","after":' + "9" * 60_000 + "}",
    "too big": PING + " " * (MAX_FRAME_BYTES - len(PING) + 1),
    "too big in bytes": json.dumps({"type": "é" * 33_000}, ensure_ascii=False),
    "far too big": "x" * (1 << 20),
    "binary": PING.encode(),
    "binary, empty": b"",
    "binary, no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("frame", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_frame_is_refused_as_malformed_and_nothing_suffers(
    browser: Browser, block: BlockType, model: DictatedProvider, frame: str | bytes
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    for _ in range(2):
        await (socket.say_bytes(frame) if isinstance(frame, bytes) else socket.say_text(frame))
        (refused,) = await socket.before_pong()
        assert refused.keys() == {"type", "code", "message"}
        assert (refused["type"], refused["code"]) == ("refused", "malformed")
    model.say("Hello")
    model.finish()
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == "Hello"


async def test_the_third_unreadable_frame_is_refused_and_closes_the_socket(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    for frame in ("one", "two"):
        await socket.say_text(frame)
        await socket.until("refused", code="malformed")
        assert await socket.before_pong() == []  # valid frames in between do not help
    await socket.say_bytes(b"three")
    assert (await socket.hear())["code"] == "malformed"
    assert await socket.closed() == 4400
    await socket.say(type="ping")  # already in flight: no harm
    await socket.say_text("four")
    await socket.aclose()
    model.say("Hello")  # the stream continues
    model.finish()
    assert (await (await browser.watch(stream_id)).end())["type"] == "complete"
    await browser.connect()  # and the visitor may reconnect


async def test_a_wrong_field_is_refused_and_does_not_count_as_unreadable(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    socket = await browser.connect()
    for frame in [
        {"type": "ping", "x": 1},
        {"type": "start"},
        {"type": "start", "block_type": 5},
        {"type": "resume"},
        {"type": "resume", "stream_id": 5},
        {"type": "leave"},
        {"type": "leave", "stream_id": None},
        {"type": "cancel"},
        {"type": "cancel", "stream_id": NO_STREAM, "request_id": "x"},
        {"type": "cancel", "stream_id": ["x"]},
        {"type": "start", "ref": "x" * 201, "block_type": "tale", "prompt": "Why?"},
        {"type": "start", "ping": "\ud800\0"},
    ]:
        await socket.say_text(json.dumps(frame))
        (refused,) = await socket.before_pong()
        assert refused["type"] == "refused", frame
        assert refused["code"] in ("invalid_input", "not_found"), frame
    await socket.end_of(await ask(socket))


async def test_a_frame_of_just_64_kib_is_read(browser: Browser) -> None:
    socket = await browser.connect()
    await socket.say_text(PING + " " * (MAX_FRAME_BYTES - len(PING)))
    assert (await socket.hear())["type"] == "pong"


async def test_what_identifies_a_frame_is_repeated_only_if_it_can_be(browser: Browser) -> None:
    socket = await browser.connect()
    long = "x" * 201
    await socket.say(type="start", ref=long, request_id=long, stream_id=long)
    (refused,) = await socket.before_pong()
    assert not {"ref", "request_id", "stream_id"} & refused.keys()
    for field in ("ref", "request_id"):
        await socket.say(type="start", block_type=None, **{field: "a\0\u2028\ud800"})
        (refused,) = await socket.before_pong()
        assert refused[field] == "a\0\u2028?"  # no text can contain a lone surrogate


# --- too many -----------------------------------------------------------------------------


async def test_two_hundred_pings_at_once_are_all_answered(browser: Browser, settings: Any) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    socket = await browser.connect()
    for _ in range(200):
        await socket.say(type="ping")
    assert [(await socket.hear())["type"] for _ in range(200)] == ["pong"] * 200
    assert await socket.before_pong() == []


async def test_a_hundred_cancels_at_once_are_all_answered(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    socket = await browser.connect()
    alone = await browser.connect("/ws/stream?follow=none")
    stream_id = await ask(socket)
    await socket.text_of(stream_id, "The ")
    ids = [f"{number:022}" for number in range(50)]
    for unknown in ids:
        await alone.say(type="cancel", stream_id=unknown)
        await alone.say(type="cancel", stream_id=stream_id)
    refused: set[str] = set()
    starts = 0
    while len(refused) < 50 or starts < 50:
        alone.tape(stream_id).begin_again()
        frame = await alone.hear()
        if frame["type"] == "refused":
            assert frame["code"] == "not_found"
            refused.add(frame["stream_id"])
        else:
            assert (frame["type"], frame["status"]) == ("start", "cancelled")
            starts += 1
    assert refused == set(ids)
    assert (await socket.end_of(stream_id))["type"] == "cancelled"


async def test_five_hundred_frames_of_all_kinds_leave_the_socket_and_others_in_order(
    browser: Browser, block: BlockType, model: DictatedProvider, settings: Any
) -> None:
    settings.LIMIT_FRAMES_PER_SECOND = 0
    socket, other = await browser.connect(), await browser.connect()
    stream_id = await ask(socket)
    frames: list[dict[str, Any]] = [
        {"type": "ping"},
        {"type": "leave", "stream_id": NO_STREAM},
        {"type": "resume", "stream_id": NO_STREAM},
        {"type": "start", "block_type": "nothing", "prompt": "Why?"},
        {"type": "cancel", "stream_id": NO_STREAM},
    ]
    flood = asyncio.gather(*(socket.say(**frames[number % 5]) for number in range(500)))
    model.say("Hello")
    model.finish()
    await other.end_of(stream_id)
    await flood
    heard = {"pong": 0, "refused": 0}
    while heard != {"pong": 100, "refused": 300}:
        frame = await socket.hear()
        if frame["type"] in heard:
            heard[frame["type"]] += 1
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == other.tape(stream_id).text == "Hello"
