"""Attacks by streams and sockets: floods of frames, and as many starts as possible."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect

from .plain_http import call, connection, open_connection, read_head, request, session_headers
from .siege import JSON_HEADERS, PAUSE_SECONDS, START_PATH, Target, at_once

HOLD_PROMPT = "Hold the place"
"""The reply to this prompt continues for half a minute."""

LONG_PROMPT = "Tell a long tale"
"""The reply to this prompt has thousands of tokens at once."""

CANCEL_FRAMES = 20_000  # per socket
HELD_STARTS = 600
UNREAD_ANSWERS = 100
UNREAD_SECONDS = 5.0
"""After so long, each is given up for a new one."""
STARTS_AND_STOPS = 24

_CODE = re.compile(r'"code":"(\w+)"')
_TYPE = re.compile(r'"type":"(\w+)"')

Start = Callable[[Target, dict[str, str]], Awaitable[list[Callable[[], None]]]]
"""Returns functions that abort the held connections."""


async def cancel_frames(target: Target) -> None:
    """Send twenty thousand cancels of unknown requests on each socket."""

    def frames() -> Iterator[dict[str, object]]:
        for _ in range(CANCEL_FRAMES):
            yield {"type": "cancel", "request_id": str(uuid.uuid4())}

    await at_once(2, partial(_send_frames, frames, {}), target)


async def resume_frames(target: Target) -> None:
    """Resume a long answer from its beginning over and over."""
    body = json.dumps({"prompt": LONG_PROMPT}).encode()
    head, answer = await call(
        target.port, "POST", START_PATH, JSON_HEADERS, body, source=target.source
    )
    target.met[f"start {head.status}"] += 1
    stream_id = json.loads(answer).get("stream_id", "no-such-stream")
    frame: dict[str, object] = {"type": "resume", "stream_id": stream_id, "after": -1}
    frames = partial(itertools.repeat, frame)
    await at_once(4, partial(_send_frames, frames, head.cookies), target)


async def ping_frames(target: Target) -> None:
    frame: dict[str, object] = {"type": "ping"}
    await at_once(4, partial(_send_frames, partial(itertools.repeat, frame), {}), target)


async def starts(target: Target) -> None:
    """Start as many concurrent answers as possible, over every transport."""
    held: list[Callable[[], None]] = []

    async def act(start: Start, has_cookies: bool, target: Target) -> None:
        if len(held) >= HELD_STARTS:
            await asyncio.sleep(PAUSE_SECONDS)
            return
        cookies = {}
        if has_cookies:
            head, _ = await call(target.port, "GET", "/api/config", source=target.source)
            cookies = head.cookies
        held.extend(await start(target, cookies))

    try:
        async with asyncio.TaskGroup() as group:
            for start in (_start_by_get, _start_by_post, _start_by_socket):
                for has_cookies in (False, True):
                    group.create_task(at_once(2, partial(act, start, has_cookies), target))
    finally:
        for cut in held:
            cut()


async def starts_and_stops(target: Target) -> None:
    """Take places, and places in line, only to give them back at once."""

    async def act(target: Target) -> None:
        port = target.port
        body = json.dumps({"prompt": HOLD_PROMPT}).encode()
        head, answer = await call(
            port, "POST", START_PATH, JSON_HEADERS, body, source=target.source
        )
        target.met[f"start {head.status}"] += 1
        if head.status == 201:
            headers = {**JSON_HEADERS, **session_headers(port, head.cookies)}
            path = f"/api/streams/{json.loads(answer)['stream_id']}/cancel"
            head, _ = await call(port, "POST", path, headers, source=target.source)
            target.met[f"cancel {head.status}"] += 1

    await at_once(STARTS_AND_STOPS, act, target)


async def unread_answers(target: Target) -> None:
    """Ask for long answers, and read none of them."""

    async def act(target: Target) -> None:
        port = target.port
        path = f"{START_PATH}?prompt={quote(LONG_PROMPT)}"
        headers = {"Accept": "text/event-stream"}
        async with connection(port, source=target.source, receive_buffer=4096) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request(port, "GET", path, headers))
            target.met["asked"] += 1
            await asyncio.sleep(UNREAD_SECONDS)

    await at_once(UNREAD_ANSWERS, act, target)


async def _start_by_get(target: Target, cookies: dict[str, str]) -> list[Callable[[], None]]:
    """Return how to abort the connection, if the server accepted it; it stays open."""
    port = target.port
    path = f"{START_PATH}?prompt={quote(HOLD_PROMPT)}"
    headers = {"Accept": "text/event-stream", **_headers_of(port, cookies)}
    reader, writer = await open_connection(port, source=target.source)
    writer.write(request(port, "GET", path, headers))
    try:
        head = await read_head(reader)
    except BaseException:
        writer.transport.abort()
        raise
    target.met[f"GET {head.status}"] += 1
    if head.status == 200:
        return [lambda: writer.transport.abort()]  # keeps the writer, which else closes
    writer.transport.abort()
    return []


async def _start_by_post(target: Target, cookies: dict[str, str]) -> list[Callable[[], None]]:
    port = target.port
    headers = {**JSON_HEADERS, **_headers_of(port, cookies)}
    body = json.dumps({"prompt": HOLD_PROMPT}).encode()
    head, _ = await call(port, "POST", START_PATH, headers, body, source=target.source)
    target.met[f"POST {head.status}"] += 1
    return []


async def _start_by_socket(target: Target, cookies: dict[str, str]) -> list[Callable[[], None]]:
    """Return how to abort the socket, after sending ten starts on it."""
    start = {"type": "start", "block_type": "ask-question", "prompt": HOLD_PROMPT}
    refs = {str(number) for number in range(10)}
    socket = await _open_socket(target, cookies)
    try:
        for ref in sorted(refs):
            await socket.send(json.dumps({**start, "ref": ref}))
        while refs:
            frame = json.loads(await socket.recv())
            if frame.get("ref") in refs:
                refs.remove(frame["ref"])
                target.met[f"socket {frame.get('code', frame['type'])}"] += 1
    except BaseException:
        socket.transport.abort()
        raise
    return [lambda: socket.transport.abort()]


async def _open_socket(target: Target, cookies: dict[str, str]) -> ClientConnection:
    port = target.port
    try:
        return await connect(
            f"ws://127.0.0.1:{port}/ws/stream",
            additional_headers=_headers_of(port, cookies),
            local_addr=(target.source, 0),
            proxy=None,
            compression=None,
            ping_interval=None,
        )
    except AssertionError as error:  # of `websockets`, for a connection that ends in its handshake
        raise ConnectionError from error


async def _send_frames(
    frames: Callable[[], Iterator[dict[str, object]]], cookies: dict[str, str], target: Target
) -> None:
    """Send frames on one socket as fast as it accepts them, and count the responses."""
    socket = await _open_socket(target, cookies)

    async def count() -> None:
        async for text in socket:
            found = _CODE.search(str(text)) or _TYPE.search(str(text))
            target.met[f"frame {found[1]}" if found else "frame"] += 1

    counting = asyncio.create_task(count())
    try:
        for number, frame in enumerate(frames()):
            await socket.send(json.dumps(frame))
            target.met["frames sent"] += 1
            if number % 50 == 0:
                await asyncio.sleep(0)  # `send` does not yield while the buffer has room
        await counting
    finally:
        counting.cancel()
        socket.transport.abort()


def _headers_of(port: int, cookies: dict[str, str]) -> dict[str, str]:
    return session_headers(port, cookies) if cookies else {}
