"""Common steps of tests that ask over HTTP or a socket."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.support.streaming.browser import Browser
from tests.support.streaming.event_reader import EventReader
from tests.support.streaming.socket import Socket

NO_STREAM = "A" * 22


def new_request_id() -> str:
    return str(uuid.uuid4())


async def ask(socket: Socket, ref: str = "a", **fields: Any) -> str:
    """Start a stream of the block `tale`; return its id once its `start` has arrived."""
    await socket.say(type="start", ref=ref, **({"block_type": "tale", "prompt": "Why?"} | fields))
    start = await socket.until("start", ref=ref)
    stream_id: str = start["stream_id"]
    return stream_id


async def ask_on_new_socket(browser: Browser, **fields: Any) -> tuple[Socket, str]:
    """Open a socket and start a stream on it; return the socket and the stream's id."""
    socket = await browser.connect()
    return socket, await ask(socket, **fields)


async def ended_stream(browser: Browser, play: Callable[..., object]) -> EventReader:
    """Run a stream of the events 0 and 1, and its end 2."""
    play("The ", "sky.")
    reader = await browser.start()
    await reader.end()
    return reader


async def refusal(socket: Socket, **frame: Any) -> dict[str, Any]:
    """Return the refusal of this frame, which must be its only effect."""
    await socket.say(**frame)
    (refused,) = await socket.before_pong()
    assert refused["type"] == "refused", refused
    return refused
