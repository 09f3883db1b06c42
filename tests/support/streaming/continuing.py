"""Starts on every call of the API, and answers that can be continued."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.conftest import Play
from tests.support.streaming.browser import START, Browser

Way = Callable[..., Awaitable[dict[str, Any]]]
"""Starts a stream with these fields and returns its document when it has ended."""


async def by_post(browser: Browser, **fields: Any) -> dict[str, Any]:
    return (await browser.post_json(f"{START}?wait=1", fields)).stream()


async def by_events(browser: Browser, **fields: Any) -> dict[str, Any]:
    reader = await browser.events("POST", START, fields)
    await reader.end()
    return await _same(browser, reader.tape.events[0])


async def by_get(browser: Browser, **fields: Any) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    reader = await browser.events("GET", f"{START}?{query}")
    await reader.end()
    return await _same(browser, reader.tape.events[0])


async def by_socket(browser: Browser, **fields: Any) -> dict[str, Any]:
    socket = await browser.connect()
    await socket.say(type="start", ref="r", block_type="tale", **fields)
    start = await socket.until("start", ref="r")
    if socket.tape(start["stream_id"]).terminal is None:
        await socket.until("complete", stream_id=start["stream_id"])
    return await _same(browser, start)


async def _same(browser: Browser, start: dict[str, Any]) -> dict[str, Any]:
    """Return the stream's document, which must name the same continued stream as its start."""
    document = await browser.resource(start["stream_id"])
    assert start["continues"] == document["continues"]
    return document


WAYS = [by_post, by_events, by_get, by_socket]


async def cut(browser: Browser, play: Play, *tokens: str, **fields: Any) -> dict[str, Any]:
    """Run a stream that ends at the length limit."""
    play(*(tokens or ("The sky ", "is")), {"finish": "length"})
    return (await browser.post_json(f"{START}?wait=1", {"prompt": "Why?"} | fields)).stream()


def refused_by(answer: Any) -> str:
    problem = answer.problem("invalid_input", field="continues")
    return str(problem["detail"])


def questions(*texts: str) -> str:
    listed = [
        {"question": text, "correct": "a", "wrong": ["b", "c", "d"], "explanation": "e"}
        for text in texts
    ]
    return json.dumps({"title": "Rivers", "questions": listed})
