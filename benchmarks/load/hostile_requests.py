"""Attacks by requests: long, slow or expensive ones, and requests whose responses stay unread."""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from urllib.parse import quote

from .plain_http import call, connection, read_head, request, session_headers
from .siege import START_PATH, Target, at_once

SLASHES = (32_000, 64_000)
SEARCHES = (100, 1_000)  # characters
ENDLESS_BYTES = 193 << 20  # size of the headers of one connection
SLOW_HEADERS = 1_100  # connections
HALF_BODIES = 200
UNREAD_FILES = 150
SIGN_INS = 24
PLAIN_CALLS = 400  # connections

_FORM_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')


async def slashes(target: Target) -> None:
    """Send slashes in the path, Host and Origin of requests that the server logs."""
    kinds = itertools.cycle(itertools.product(("path", "Host", "Origin"), SLASHES))

    async def act(target: Target) -> None:
        where, count = next(kinds)
        long = "/" * count
        path, headers = (long, {}) if where == "path" else ("/api/nothing", {where: long})
        head, _ = await call(target.port, "GET", path, headers, source=target.source)
        target.met[str(head.status)] += 1

    await at_once(4, act, target)


async def search(target: Target) -> None:
    """Search a long history for words that almost match everywhere."""
    words = itertools.cycle("a" * (length - 1) + "b" for length in SEARCHES)
    headers = {"Cookie": f"sessionid={target.search_cookie}"}

    async def act(target: Target) -> None:
        path = f"/api/streams?q={quote(next(words))}"
        head, _ = await call(target.port, "GET", path, headers, source=target.source)
        target.met[str(head.status)] += 1

    await at_once(6, act, target)


async def plain_calls(target: Target) -> None:
    """Send valid calls, each answered in milliseconds, from hundreds of connections."""
    paths = itertools.cycle(["/api/schema", "/api/blocks"])

    async def act(target: Target) -> None:
        head, _ = await call(target.port, "GET", next(paths), {}, source=target.source)
        target.met[str(head.status)] += 1

    await at_once(PLAIN_CALLS, act, target)


async def endless_headers(target: Target) -> None:
    line = b"X-Endless: " + b"a" * 60_000 + b"\r\n"

    async def act(target: Target) -> None:
        async with connection(target.port, source=target.source) as (reader, writer):
            writer.write(request(0, "GET", "/api/config")[:-2])
            sent = 0
            while sent < ENDLESS_BYTES and not reader.at_eof():
                writer.write(line)
                await writer.drain()
                sent += len(line)
                target.met["headers of 60 kB"] += 1
            writer.write(b"\r\n")
            target.met[str((await read_head(reader)).status)] += 1

    await at_once(4, act, target)


async def slow_headers(target: Target) -> None:
    """Begin requests and send one header a second, endlessly."""

    async def act(target: Target) -> None:
        async with connection(target.port, source=target.source) as (reader, writer):
            writer.write(b"GET /api/config HTTP/1.1\r\n")
            target.met["begun"] += 1
            answer = asyncio.create_task(read_head(reader))
            try:
                while not answer.done():
                    writer.write(b"X-Slow: a\r\n")
                    await writer.drain()
                    await asyncio.wait([answer], timeout=1)
                target.met[str((await answer).status)] += 1
            finally:
                answer.cancel()

    await at_once(SLOW_HEADERS, act, target)


async def half_bodies(target: Target) -> None:
    """Send half of a body, and chunked bodies that never end."""
    kinds = itertools.cycle(({"Content-Length": "1000000"}, {"Transfer-Encoding": "chunked"}))

    async def act(target: Target) -> None:
        headers = {"Content-Type": "application/json", **next(kinds)}
        port = target.port
        async with connection(port, source=target.source) as (reader, writer):
            writer.write(request(port, "POST", START_PATH, headers))
            piece = b"a" * 500_000
            if "Transfer-Encoding" in headers:
                piece = b"%x\r\n" % len(piece) + piece + b"\r\n"
            writer.write(piece)
            target.met["begun"] += 1
            target.met[str((await read_head(reader)).status)] += 1

    await at_once(HALF_BODIES, act, target)


async def unread_files(target: Target) -> None:
    async def act(target: Target) -> None:
        port = target.port
        async with connection(port, source=target.source, receive_buffer=4096) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request(port, "GET", target.file))
            target.met["asked"] += 1
            await asyncio.Event().wait()

    await at_once(UNREAD_FILES, act, target)


async def sign_ins(target: Target) -> None:
    """Try wrong passwords on the admin login, for an existing name and for unknown names."""
    names = itertools.cycle(["admin", "root", "administrator"])
    path = "/admin/login/"

    async def act(target: Target) -> None:
        port = target.port
        head, page = await call(port, "GET", path, source=target.source)
        found = _FORM_TOKEN.search(page)
        if found is None:
            target.met[f"form {head.status}"] += 1
            return
        fields = f"username={next(names)}&password={uuid.uuid4()}&csrfmiddlewaretoken="
        headers = session_headers(port, head.cookies)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = fields.encode() + found[1]
        head, _ = await call(port, "POST", path, headers, body, source=target.source)
        target.met[f"sign-in {head.status}"] += 1

    await at_once(SIGN_INS, act, target)
