"""Prompts and the API's key appear in no line that a server prints."""

from __future__ import annotations

import pytest

from tests.support.blocks.upstream import Behaviour, Upstream
from tests.support.canaries import MODEL_KEY as KEY
from tests.support.canaries import PROMPT
from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import START, Visitor

FAILURES = [
    Behaviour(status=401, body=b'{"error": {"message": "Incorrect API key provided: {key}"}}'),
    Behaviour(status=500, body=b"Internal error for {key}", headers=(("X-Key", "{key}"),)),
    Behaviour(fault="malformed"),
    Behaviour(fault="cut"),
    Behaviour(words=("fine",)),
]


@pytest.mark.parametrize("kind", ["serve", "daphne", "runserver"])
async def test_neither_prompts_nor_the_api_key_are_printed(database: Database, kind: str) -> None:
    async with Upstream() as upstream:
        environment = {
            "AI_MODEL": "openai:any",
            "AI_BASE_URL": upstream.base_url,
            "AI_API_KEY": KEY,
            "AI_RETRIES": "0",
            "DJANGO_LOG_LEVEL": "DEBUG",
        }
        with running(kind, database, environment=environment) as server:
            visitor = await Visitor.arrive(server.port)
            heard = ""
            for failure in FAILURES:
                upstream.plan(failure)
                heard += await ask_in_every_way(visitor)
            heard += await ask_wrongly(visitor)
            assert len(upstream.calls) == 3 * len(FAILURES)
            assert all(KEY in call.headers["authorization"] for call in upstream.calls)
            assert all(PROMPT in str(call.body) for call in upstream.calls)
        assert KEY not in heard
        assert KEY not in server.output
        assert PROMPT not in server.output
        if kind != "serve":  # these two log the requested path, without its query
            assert f"GET {START}" in server.output


async def ask_in_every_way(visitor: Visitor) -> str:
    """Start by GET, POST and WebSocket; return all responses."""
    prompt = f'"{PROMPT}" – {PROMPT}?'
    async with await visitor.ask(prompt) as client:
        by_get = await client.until_end()
    async with await visitor.open(START, method="POST", data={"prompt": prompt}) as client:
        by_post = await client.until_end()
    async with visitor.socket(f"?follow=none&x={PROMPT}") as socket:
        stream_id = await socket.start(prompt)
        await socket.until_end(stream_id)
        await socket.send(type=PROMPT)
        await socket.until(lambda frame: frame["type"] == "refused")
    ends = {by_get[-1]["type"], by_post[-1]["type"], socket.events_of(stream_id)[-1]["type"]}
    assert len(ends) == 1
    return str([by_get, by_post, socket.frames])


async def ask_wrongly(visitor: Visitor) -> str:
    """Send requests that are refused in various ways, each with the prompt in it."""
    query = f"?prompt={PROMPT}"
    paths = [f"{START}{query}&nothing={PROMPT}", f"/api/nothing{query}", f"/nothing{query}"]
    paths += [f"/api/stream/ai-block/unknown{query}", f'/api/config?"{PROMPT}"']
    heard = ""
    for path in paths:
        async with await visitor.open(path, headers={"Connection": "close"}) as client:
            await client.until(lambda c: c.has_ended)
            heard += client.body.decode()
    foreign = {"Origin": "http://evil.example", "Connection": "close"}
    async with await visitor.open(START + query, headers=foreign) as client:
        assert client.status == 403
        await client.until(lambda c: c.has_ended)
    for body in (f'{{"prompt": {PROMPT}', f'{{"{PROMPT}": 1}}'):
        async with await visitor.open(START, method="POST", data=body.encode()) as client:
            assert client.status == 400
            heard += str(await client.json())
    return heard
