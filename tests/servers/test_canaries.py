"""No line of a server holds a prompt, an answer, a key, a token, a cookie or a password."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from liveai.log_lines import WITHHELD
from tests.support.blocks.upstream import Behaviour, Upstream
from tests.support.canaries import (
    ANSWER,
    FIELD,
    MODEL_KEY,
    PASSWORD,
    PROMPT,
    WRONG_PASSWORD,
    canaries_in,
)
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.sse_client import ConnectionEnded
from tests.support.servers.tokens import Program, add_token
from tests.support.servers.visitor import START, Visitor

CRASHING = "tests.support.servers.asgi_crashing:application"
WORDS = (f"{ANSWER} ", "and ", f"{ANSWER} ", "again.")
ECHO = json.dumps({"error": {"message": f"{ANSWER}: no to {PROMPT} with {{key}}"}}).encode()
BEHAVIOURS = [
    Behaviour(words=WORDS),
    Behaviour(words=(*WORDS, " crash")),
    Behaviour(words=WORDS, fault="cut"),
    Behaviour(words=WORDS, fault="error"),
    Behaviour(words=WORDS, fault="malformed"),
    Behaviour(status=400, body=ECHO),
    Behaviour(status=401, body=ECHO),
    Behaviour(status=500, body=ECHO, headers=(("X-Key", "{key}"),)),
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("kind", ["console", "json"])
async def test_no_line_holds_what_people_and_models_said_or_any_secret(
    database: Database, kind: str, level: str
) -> None:
    token = add_token(database)
    async with Upstream() as upstream:
        environment = {
            "AI_MODEL": "openai:any",
            "AI_BASE_URL": upstream.base_url,
            "AI_API_KEY": MODEL_KEY,
            "AI_RETRIES": "0",
            "DJANGO_LOG_LEVEL": level,
            "DJANGO_DEBUG": str(level == "DEBUG"),
            "LOG_FORMAT": kind,
        }
        with running("serve", database, app=CRASHING, environment=environment) as server:
            secrets = await do_everything(server, upstream, token)
        assert {MODEL_KEY in call.headers["authorization"] for call in upstream.calls} == {True}
        assert any(PROMPT in str(call.body) for call in upstream.calls)
    assert canaries_in(server.output, *secrets) == []
    lines = [line for line in server.output.splitlines() if line.startswith("{")]
    check_what_is_logged(server.output, lines if kind == "json" else None)


async def do_everything(server: Server, upstream: Upstream, token: str) -> list[str]:
    """Do all that may be logged; return the secrets that the server has made."""
    visitor = await Visitor.arrive(server.port)
    made = [visitor.cookies["sessionid"], visitor.cookies["csrftoken"]]
    for behaviour in BEHAVIOURS:
        upstream.plan(behaviour)
        await ask_in_every_way(visitor)
    upstream.plan(BEHAVIOURS[0])
    await break_viewers_and_calls(visitor)
    await ask_wrongly(visitor)
    signed_in = await sign_in(server.port)
    await use_tokens(server.port, token)
    made += [signed_in.cookies["sessionid"], signed_in.cookies["csrftoken"]]
    assert min(map(len, made)) >= 32
    return [token[15:], *(value[-20:] for value in made)]


async def ask_in_every_way(visitor: Visitor) -> None:
    prompt = f'"{PROMPT}" – {PROMPT}?'
    async with await visitor.ask(prompt) as client:
        await client.until_end()
    async with await visitor.open(START, method="POST", data={"prompt": prompt}) as client:
        await client.until_end()
    status, _ = await visitor.call("POST", f"{START}?wait=1", {"prompt": prompt})
    assert status == 200
    async with visitor.socket("?follow=none") as socket:
        await socket.until_end(await socket.start(prompt))


async def break_viewers_and_calls(visitor: Visitor) -> None:
    async with await visitor.ask(PROMPT, "explain-eli10") as client:
        with contextlib.suppress(ConnectionEnded):
            await client.until_end()
    async with visitor.socket("?follow=none") as socket:
        await socket.start(PROMPT, "explain-eli10")
        assert await socket.until_closed() == 1011
    status, problem = await visitor.call("POST", "/api/stream/ai-block/diagram", {"prompt": PROMPT})
    assert (status, problem["code"]) == (500, "internal")


async def ask_wrongly(visitor: Visitor) -> None:
    query = urlencode({"prompt": PROMPT, FIELD: FIELD})
    for path in (f"{START}?{query}", f"/api/nothing?{query}", f"/nothing?{query}", f"/?{query}"):
        async with await visitor.open(path, headers={"Connection": "close"}) as client:
            await client.until(lambda c: c.has_ended)
    bodies = [f'{{"prompt": {PROMPT}', f'{{"{FIELD}": 1}}', f'["{PROMPT}"]', f'"{PROMPT}"\x00']
    for body in bodies:
        status, _ = await visitor.call("POST", START, body.encode())
        assert status == 400
    foreign = {"Origin": "http://evil.example", "X-Request-ID": f"{FIELD}?", "Referer": f"/{FIELD}"}
    status, _ = await visitor.call("POST", START, {"prompt": PROMPT}, headers=foreign)
    assert status == 403
    for page in ("password/reset/key/1-", "confirm-email/", "invitation/"):
        for place in ("", "/nothing"):
            path = f"{place}/account/{page}{FIELD}/"
            for method, headers in (("GET", {}), ("POST", foreign)):
                async with await visitor.open(path, method=method, headers=headers) as client:
                    assert client.status in (200, 302, 403, 404)
    cookie = {"Cookie": f"sessionid={FIELD}; csrftoken={FIELD}", "User-Agent": FIELD}
    await Visitor(visitor.port).call("GET", "/api/streams", headers=cookie)
    async with visitor.socket(f"?x={FIELD}") as socket:
        await socket.send(type=FIELD, prompt=PROMPT)
        await socket.connection.send(f"{{{PROMPT}")
        await socket.until(lambda frame: frame.get("code") == "malformed")


async def sign_in(port: int) -> Visitor:
    """Fail to sign in, then sign in; return the visitor."""
    visitor = await Visitor.arrive(port)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    for path, name in (("/account/login/", "login"), ("/admin/login/", "username")):
        form = urlencode({name: "admin", "password": WRONG_PASSWORD}).encode()
        async with await visitor.open(path, method="POST", data=form, headers=kind) as client:
            assert client.status == 200
    form = urlencode({"login": "admin", "password": PASSWORD}).encode()
    async with await visitor.open(
        "/account/login/", method="POST", data=form, headers=kind
    ) as client:
        assert client.status == 302
    status, _ = await visitor.call("GET", "/api/streams")
    assert status == 200
    return visitor


async def use_tokens(port: int, token: str) -> None:
    program = Program(port, token)
    async with program.token_socket() as socket:
        await socket.until_end(await socket.start(PROMPT))
    wrong = Program(port, token[:-8] + "00000000")
    assert (await wrong.call("GET", "/api/streams"))[0] == 401
    with pytest.raises(ConnectionClosed):
        async with wrong.connection() as connection:
            await connection.recv()
    with pytest.raises(InvalidStatus):
        async with Program(port, token, origin="http://evil.example").connection():
            pass


def check_what_is_logged(output: str, lines: list[str] | None) -> None:
    """Check that the crashes were logged, by kind and place, with the ids of request and stream."""
    for name in ("ValueError", "RuntimeError", "KeyError"):
        assert f"{name}: {WITHHELD}" in output
    assert 'Sign-in as \\"admin\\"' in output or 'Sign-in as "admin"' in output
    if lines is None:
        assert re.search(r" request_id=[0-9a-f]{32} stream_id=[\w-]{22} ERROR blocks\.", output)
        return
    found = [json.loads(line) for line in lines]
    assert all({"timestamp", "level", "logger", "event", "pid"} <= set(entry) for entry in found)
    crash = only(found, "The block ask-question failed")
    assert len(crash["stream_id"]) == 22 and re.fullmatch("[0-9a-f]{32}", crash["request_id"])
    assert crash["exception"]["type"] == "ValueError" and "message" not in crash["exception"]
    call = only(found, "An API call failed.")
    assert "stream_id" not in call and re.fullmatch("[0-9a-f]{32}", call["request_id"])
    viewer = next(entry for entry in found if entry["event"].startswith("The viewer of stream"))
    assert viewer["stream_id"] in viewer["event"] and viewer["request_id"] != crash["request_id"]
    socket = next(entry for entry in found if entry["event"] == "A socket's viewer crashed.")
    assert re.fullmatch("[0-9a-f]{32}", socket["request_id"])


def only(found: list[dict[str, Any]], event: str) -> dict[str, Any]:
    """Return one of the entries that say this; each has a request of its own."""
    those = [entry for entry in found if entry["event"] == event]
    assert those and len({entry["request_id"] for entry in those}) == len(those)
    return those[0]
