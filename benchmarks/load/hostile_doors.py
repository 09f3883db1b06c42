"""Attacks on what programs of others use: the dialects, OpenAI's calls, and signed tokens.

The service under attack takes the signed tokens of two sites: one shares a key with it, and the
key set of the other is at an address that accepts connections and never answers.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
import uuid
from collections.abc import Callable

import jwt
from websockets.asyncio.client import connect

from .hostile_streams import HOLD_PROMPT, LONG_PROMPT, UNREAD_SECONDS
from .plain_http import call, connection, open_connection, read_head, request
from .siege import JSON_HEADERS, START_PATH, Target, at_once

ISSUER, AUDIENCE = "https://partner.example.org", "liveai"
SHARED_KEY = "the-key-of-a-site-that-is-benchmarked-8sQ2vK1yTn"
SILENT_ISSUER = "https://silent.example.org"

DIALECT_STARTS = 24
HELD_ANSWERS = 600
UNREAD_DIALECTS = 100
CHAT_GUESSES = 100
FORGED_TOKENS = 100
LONG_CLAIM = 6_000  # characters
LONG_LIST = 20_000  # messages of one body

AI_SDK = "/api/dialects/ai-sdk/ask-question"
OBJECT = "/api/dialects/ai-sdk/quiz/object"
AG_UI = "/api/dialects/ag-ui/ask-question"
OPENAI = "/v1/chat/completions"

Body = dict[str, object]


def _ai_sdk(prompt: str) -> Body:
    return {"id": uuid.uuid4().hex, "messages": [_ai_sdk_message(prompt)]}


def _ai_sdk_message(prompt: str) -> Body:
    parts = [{"type": "text", "text": prompt}]
    return {"id": uuid.uuid4().hex, "role": "user", "parts": parts}


def _ag_ui(prompt: str) -> Body:
    return {
        "threadId": uuid.uuid4().hex,
        "runId": uuid.uuid4().hex,
        "messages": [{"id": "1", "role": "user", "content": prompt}],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }


def _openai(prompt: str, *, is_streamed: bool = True) -> Body:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "ask-question", "messages": messages, "stream": is_streamed}


STARTS: list[tuple[str, str, Callable[[str], Body]]] = [
    ("chat", AI_SDK, _ai_sdk),
    ("object", OBJECT, lambda prompt: {"prompt": prompt}),
    ("run", AG_UI, _ag_ui),
    ("completion", OPENAI, _openai),
    ("whole completion", OPENAI, lambda prompt: _openai(prompt, is_streamed=False)),
]
"""Every call that starts an answer: how it is counted, its path, and the body for a prompt."""


def signed(*, subject: str = "mallory", key: str = SHARED_KEY, **more: object) -> str:
    """Return a token that its issuer signed for an hour."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3_000}
    return jwt.encode(claims | more, key, "HS256")


async def dialect_starts(target: Target) -> None:
    """Start answers by every dialect, without a token and with one, and keep them open."""
    calls = itertools.cycle(itertools.product(({}, _bearer(signed())), STARTS))
    held: list[Callable[[], None]] = []

    async def act(target: Target) -> None:
        token, (name, path, body_of) = next(calls)
        body = json.dumps(body_of(HOLD_PROMPT)).encode()
        port = target.port
        reader, writer = await open_connection(port, source=target.source)
        try:
            writer.write(request(port, "POST", path, {**JSON_HEADERS, **token}, body))
            async with asyncio.timeout(UNREAD_SECONDS):
                head = await read_head(reader)
        except TimeoutError:  # a whole answer has no head before its end
            target.met[f"{name} awaited in vain"] += 1
            writer.transport.abort()
            return
        except BaseException:
            writer.transport.abort()
            raise
        target.met[f"{name} {head.status}"] += 1
        if head.status == 200 and len(held) < HELD_ANSWERS:
            held.append(lambda: writer.transport.abort())
        else:
            writer.transport.abort()

    try:
        await at_once(DIALECT_STARTS, act, target)
    finally:
        for cut in held:
            cut()


async def unread_dialects(target: Target) -> None:
    """Ask for long answers in every dialect, and read none of them."""
    calls = itertools.cycle(STARTS)

    async def act(target: Target) -> None:
        name, path, body_of = next(calls)
        body = json.dumps(body_of(LONG_PROMPT)).encode()
        port = target.port
        async with connection(port, source=target.source, receive_buffer=4096) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request(port, "POST", path, JSON_HEADERS, body))
            target.met[f"{name} asked"] += 1
            await asyncio.sleep(UNREAD_SECONDS)

    await at_once(UNREAD_DIALECTS, act, target)


async def chat_guesses(target: Target) -> None:
    """Guess the chats and runs of others, and send long lists of messages."""
    numbers = itertools.count()
    long = {"id": "x", "messages": [{"role": "user", "parts": []}] * LONG_LIST}

    async def act(target: Target) -> None:
        guess = uuid.uuid4().hex
        name, method, path, body = (
            ("resume", "GET", f"{AI_SDK}/{guess}/stream", None),
            ("stop of a chat", "POST", f"{AI_SDK}/{guess}/stop", {}),
            ("stop of a run", "POST", f"{AG_UI}/stop", {"threadId": guess, "runId": guess}),
            ("long list", "POST", AI_SDK, long),
            ("models", "GET", "/v1/models", None),
        )[next(numbers) % 5]
        sent = b"" if body is None else json.dumps(body).encode()
        head, _ = await call(target.port, method, path, JSON_HEADERS, sent, source=target.source)
        target.met[f"{name} {head.status}"] += 1

    await at_once(CHAT_GUESSES, act, target)


async def forged_tokens(target: Target) -> None:
    """Send tokens that nobody signed, or whose key nobody can know, on every door."""
    makers = itertools.cycle(_FORGED.items())
    doors = itertools.cycle(
        [("POST", START_PATH), ("POST", OPENAI), ("GET", "/api/streams"), ("socket", "")]
    )
    numbers = itertools.count()

    async def act(target: Target) -> None:
        name, forge = next(makers)
        method, path = next(doors)
        if next(numbers) % len(_FORGED) == 0:
            next(doors)  # every kind of token comes to every door
        if method == "socket":
            await _knock(target, name, forge())
            return
        body = (
            b'{"prompt": "hello"}' if path == START_PATH else json.dumps(_openai("hello")).encode()
        )
        headers = {**JSON_HEADERS, **_bearer(forge())}
        head, _ = await call(
            target.port, method, path, headers, body if method == "POST" else b"",
            source=target.source,
        )  # fmt: skip
        target.met[f"{name} {head.status}"] += 1

    await at_once(FORGED_TOKENS, act, target)


async def _knock(target: Target, name: str, token: str) -> None:
    socket = await connect(
        f"ws://127.0.0.1:{target.port}/ws/stream",
        subprotocols=["liveai", f"liveai.token.{token}"],  # type: ignore[list-item]
        local_addr=(target.source, 0),
        proxy=None,
        compression=None,
    )
    try:
        await socket.wait_closed()
        target.met[f"{name} {socket.close_code}"] += 1
    finally:
        socket.transport.abort()


def _unsigned() -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "admin", "exp": now + 3_000}
    return jwt.encode(claims, "", "none")


def _by_unknown_key() -> str:
    claims = {
        "iss": SILENT_ISSUER,
        "aud": AUDIENCE,
        "sub": "admin",
        "exp": int(time.time()) + 3_000,
    }
    head = {"kid": uuid.uuid4().hex, "alg": "RS256"}
    parts = [json.dumps(part).encode() for part in (head, claims)]
    parts.append(secrets.token_bytes(256))
    return ".".join(jwt.utils.base64url_encode(part).decode() for part in parts)


_FORGED: dict[str, Callable[[], str]] = {
    "unsigned": _unsigned,
    "wrong key": lambda: signed(key=secrets.token_urlsafe(32)),
    "unknown key": _by_unknown_key,
    "long": lambda: signed(key=secrets.token_urlsafe(32), name="a" * LONG_CLAIM),
    "guessed": lambda: f"liveai_{secrets.token_urlsafe(40)}",
}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
