"""What a hostile visitor does to a server, one function for each way; `ATTACKS` names them.

An attack goes on until it is cancelled, from one address, and counts what it met: answers by their
status, closed connections and sockets by their code. Each is bounded in connections; `attack_for`
bounds the time. For loopback servers alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from .plain_http import (
    NoAnswer,
    call,
    connection,
    open_connection,
    read_head,
    request,
    session_headers,
)

HOLD_PROMPT = "Hold the place"
"""The script's reply goes on for half a minute."""

LONG_PROMPT = "Tell a long tale"
"""The script's reply has thousands of tokens at once."""

SLASHES = (32_000, 64_000)
SEARCHES = (100, 1_000)  # characters
CANCEL_FRAMES = 20_000  # of one socket
ENDLESS_BYTES = 193 << 20  # of headers, of one connection
SLOW_HEADERS = 1_100  # connections
HALF_BODIES = 200
UNREAD_FILES = 150
HELD_STARTS = 600
SIGN_INS = 24

PAUSE_SECONDS = 0.02  # after a failure to connect: it costs the server nothing, and us no core
START_PATH = "/api/stream/ai-block/ask-question"
JSON_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}
_CODE = re.compile(r'"code":"(\w+)"')
_TYPE = re.compile(r'"type":"(\w+)"')
_FORM_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class Target:
    """Where an attack goes to, and what it met there."""

    ports: list[int]
    file: str = ""  # path of the biggest static file
    search_cookie: str = ""  # `sessionid` of a visitor with a long history
    source: str = "127.0.0.2"
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._ports = itertools.cycle(self.ports)

    @property
    def port(self) -> int:
        """Each in turn."""
        return next(self._ports)

    @contextlib.contextmanager
    def counting_failures(self) -> Iterator[None]:
        """Counts how a connection broke, or that it was refused, and goes on."""
        try:
            yield
        except NoAnswer:
            self.met["closed without an answer"] += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            self.met["connection broken"] += 1
        except OSError as error:
            self.met[f"can't connect: {error.strerror}"] += 1
        except InvalidStatus as error:
            self.met[f"handshake {error.response.status_code}"] += 1
        except ConnectionClosed as error:
            self.met[f"socket closed {error.rcvd.code if error.rcvd else 1006}"] += 1
        except (WebSocketException, EOFError, TimeoutError) as error:
            self.met[type(error).__name__] += 1


Attack = Callable[[Target], Awaitable[None]]
Start = Callable[[Target, dict[str, str]], Awaitable[list[Callable[[], None]]]]
"""Gives what cuts the connections that are to be held."""


async def attack_for(seconds: float, name: str, target: Target) -> Counter[str]:
    """Run an attack for a time; what it met."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ATTACKS[name](target)
            raise AssertionError(f"the attack {name!r} ended by itself")
    return target.met


async def _at_once(count: int, act: Attack, target: Target) -> None:
    """Do something again and again, so many at a time, until cancelled."""

    async def again() -> None:
        while True:
            with target.counting_failures():
                await act(target)
                continue
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(again())


async def slashes(target: Target) -> None:
    """Slashes in the path, the host and the origin of requests that will be logged."""
    kinds = itertools.cycle(itertools.product(("path", "Host", "Origin"), SLASHES))

    async def act(target: Target) -> None:
        where, count = next(kinds)
        long = "/" * count
        path, headers = (long, {}) if where == "path" else ("/api/nothing", {where: long})
        head, _ = await call(target.port, "GET", path, headers, source=target.source)
        target.met[str(head.status)] += 1

    await _at_once(4, act, target)


async def search(target: Target) -> None:
    """Words that nearly fit everywhere, looked for in a long history."""
    words = itertools.cycle("a" * (length - 1) + "b" for length in SEARCHES)
    headers = {"Cookie": f"sessionid={target.search_cookie}"}

    async def act(target: Target) -> None:
        path = f"/api/streams?q={quote(next(words))}"
        head, _ = await call(target.port, "GET", path, headers, source=target.source)
        target.met[str(head.status)] += 1

    await _at_once(6, act, target)


async def cancel_frames(target: Target) -> None:
    """Twenty thousand cancels of what was never started, on each socket."""

    def frames() -> Iterator[dict[str, object]]:
        for _ in range(CANCEL_FRAMES):
            yield {"type": "cancel", "request_id": str(uuid.uuid4())}

    await _at_once(2, partial(_send_frames, frames, {}), target)


async def resume_frames(target: Target) -> None:
    """A long answer, asked for from its beginning again and again."""
    body = json.dumps({"prompt": LONG_PROMPT}).encode()
    head, answer = await call(
        target.port, "POST", START_PATH, JSON_HEADERS, body, source=target.source
    )
    target.met[f"start {head.status}"] += 1
    stream_id = json.loads(answer).get("stream_id", "no-such-stream")
    frame: dict[str, object] = {"type": "resume", "stream_id": stream_id, "after": -1}
    frames = partial(itertools.repeat, frame)
    await _at_once(4, partial(_send_frames, frames, head.cookies), target)


async def ping_frames(target: Target) -> None:
    frame: dict[str, object] = {"type": "ping"}
    await _at_once(4, partial(_send_frames, partial(itertools.repeat, frame), {}), target)


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

    await _at_once(4, act, target)


async def slow_headers(target: Target) -> None:
    """Connections that begin a request and send a header a second, without an end."""

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

    await _at_once(SLOW_HEADERS, act, target)


async def half_bodies(target: Target) -> None:
    """Bodies of which half comes, and bodies in chunks that never end."""
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

    await _at_once(HALF_BODIES, act, target)


async def unread_files(target: Target) -> None:
    async def act(target: Target) -> None:
        port = target.port
        async with connection(port, source=target.source, receive_buffer=4096) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request(port, "GET", target.file))
            target.met["asked"] += 1
            await asyncio.Event().wait()

    await _at_once(UNREAD_FILES, act, target)


async def starts(target: Target) -> None:
    """As many answers at a time as there are to be had, over every transport."""
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
                    group.create_task(_at_once(2, partial(act, start, has_cookies), target))
    finally:
        for cut in held:
            cut()


async def _start_by_get(target: Target, cookies: dict[str, str]) -> list[Callable[[], None]]:
    """The connection, if it was accepted; it goes on."""
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
        return [lambda: writer.transport.abort()]  # it keeps the writer, which closes when it goes
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
    """The socket; ten starts were sent on it."""
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


def _headers_of(port: int, cookies: dict[str, str]) -> dict[str, str]:
    return session_headers(port, cookies) if cookies else {}


async def sign_ins(target: Target) -> None:
    """Wrong passwords at the admin's door, of a name that exists and of names that don't."""
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

    await _at_once(SIGN_INS, act, target)


async def _open_socket(target: Target, cookies: dict[str, str]) -> ClientConnection:
    port = target.port
    return await connect(
        f"ws://127.0.0.1:{port}/ws/stream",
        additional_headers=_headers_of(port, cookies),
        local_addr=(target.source, 0),
        proxy=None,
        compression=None,
        ping_interval=None,
    )


async def _send_frames(
    frames: Callable[[], Iterator[dict[str, object]]], cookies: dict[str, str], target: Target
) -> None:
    """Send frames on one socket as fast as it takes them, and count what comes back."""
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
                await asyncio.sleep(0)  # `send` does not wait while there is room
        await counting
    finally:
        counting.cancel()
        socket.transport.abort()


ATTACKS: dict[str, Attack] = {
    "slashes": slashes,
    "search": search,
    "cancel frames": cancel_frames,
    "resume frames": resume_frames,
    "ping frames": ping_frames,
    "endless headers": endless_headers,
    "slow headers": slow_headers,
    "half bodies": half_bodies,
    "unread files": unread_files,
    "sign-ins": sign_ins,
    "starts": starts,  # last: its answers go on for half a minute
}
