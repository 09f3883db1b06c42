"""A lightweight client that records arrival times while it runs and parses the bytes later.

Each connection watches one stream and keeps the received bytes unchanged. Tokens are extracted
after the run. Each token holds its due time (a script's `clock`), on the same monotonic clock as
the client's.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, cast

Transport = Literal["sse", "websocket"]

PATH = "/api/stream/ai-block/ask-question?prompt="
_CHUNK = re.compile(rb'"seq":(\d+),(?:"first_seq":(\d+),)?"token":"([\d ]+)"')
_DELTA = re.compile(rb'"type":"text-delta","id":"text","delta":"(\d+) "')  # of the AI SDK
_ENDS = (b'"type":"complete"', b"data: [DONE]")
_TOKENS = (b'"token"', b'"delta"')
_TAIL = max(map(len, _ENDS)) - 1

# The server drops clients that do not answer its pings. Its other frames are short ASCII text, and
# answering one ping twice does no harm.
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)
_PONG = bytes([0x8A, 0x80 | 4, 0, 0, 0, 0])  # masked with zeros: the payload is unchanged


@dataclass
class Watched:
    """The received pieces of one connection, and their arrival times (ns, monotonic)."""

    pieces: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    asked: int = 0
    """When the request was sent."""

    def arrivals(self) -> Iterator[tuple[int, int, int]]:
        """Yield seq, due time and arrival time of each token; times in ns."""
        ends: list[int] = []
        total = 0
        for piece in self.pieces:
            total += len(piece)
            ends.append(total)
        received = b"".join(self.pieces)
        for place, match in enumerate(_DELTA.finditer(received)):  # deltas have no numbers
            yield place, int(match[1]), self.times[bisect_left(ends, match.end())]
        for match in _CHUNK.finditer(received):
            arrived = self.times[bisect_left(ends, match.end())]
            last, first = int(match[1]), int(match[2] or match[1])
            dues = match[3].split()
            assert len(dues) == last - first + 1
            for seq, due in enumerate(dues, first):
                yield seq, int(due), arrived


@dataclass(frozen=True)
class Ask:
    """The bytes of a connection's request, and the first frame of a socket."""

    port: int
    request: bytes
    frame: bytes = b""  # sent after the handshake; empty for SSE


def ask_to_start(transport: Transport, port: int, prompt: str = "x") -> Ask:
    """Request a new stream as a new anonymous visitor.

    Args:
        prompt: characters that an address may hold.
    """
    if transport == "sse":
        return Ask(port, _sse_request(port, PATH + prompt, {}))
    frame = {"type": "start", "ref": "r", "block_type": "ask-question", "prompt": prompt}
    return Ask(port, _socket_request(port, "/ws/stream", {}), _masked(frame))


def ask_to_watch(
    transport: Transport, port: int, stream_id: str, headers: Mapping[str, str]
) -> Ask:
    """Request a stream that already exists, from its beginning.

    Args:
        headers: identify the visitor as its owner.
    """
    if transport == "sse":
        return Ask(port, _sse_request(port, f"/api/streams/{stream_id}/events", headers))
    frame = {"type": "resume", "ref": "r", "stream_id": stream_id, "after": -1}
    return Ask(port, _socket_request(port, "/ws/stream?follow=none", headers), _masked(frame))


def _sse_request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    return _request(port, path, {"Accept": "text/event-stream", **headers})


def _socket_request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    return _request(port, path, {**upgrade, **headers})


def _request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _masked(frame: Mapping[str, Any]) -> bytes:
    """Encode one short WebSocket text frame of a client."""
    text = json.dumps(frame).encode()
    assert len(text) < 126
    return struct.pack("!BBI", 0x81, 0x80 | len(text), 0) + text  # masked with zeros: unchanged


class Connection(asyncio.Protocol):
    """Requests a stream and records everything until its end. Created by `connect`."""

    def __init__(self, ask: Ask) -> None:
        self.watched = Watched()
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tail = b""
        self._ask = ask

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is not a subclass
        self.watched.asked = time.monotonic_ns()
        self._transport.write(self._ask.request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        recent = self._tail + data
        if self._ask.frame:
            if not self.watched.pieces:  # the handshake's response
                self._transport.write(self._ask.frame)
            elif ping := _PING.search(recent):
                self._transport.write(_PONG + ping[1])
        self.watched.times.append(time.monotonic_ns())
        self.watched.pieces.append(data)
        if not self.begun.done() and any(mark in data for mark in _TOKENS):
            self.begun.set_result(None)
        if not self.ended.done() and any(mark in recent for mark in _ENDS):
            self.ended.set_result(None)
        self._tail = recent[-_TAIL:]

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.begun, self.ended):
            if not future.done():
                future.set_result(None)


async def connect(asked: Ask) -> Connection:
    """Connect and send the request; the connection records everything from then on.

    Raises:
        OSError: nothing listens on the port.
    """
    _, connection = await asyncio.get_running_loop().create_connection(
        partial(Connection, asked), "127.0.0.1", asked.port
    )
    return connection


@dataclass(frozen=True)
class Run:
    """The received data of one case, and CPU times (s) within the window (ns)."""

    watched: list[Watched]
    window: tuple[int, int]
    server_cpu: float
    client_cpu: float


async def run(
    ask: Callable[[int], Awaitable[Ask]],
    *,
    streams: int,
    open_every_seconds: float,
    settle_seconds: float,
    window_seconds: float,
    limit_seconds: float,
    server_cpu: Callable[[], float],
    around: AbstractAsyncContextManager[Any] | None = None,
) -> Run:
    """Open streams one by one, let them settle, measure the CPU over a window, await their ends.

    Args:
        ask: returns the request of the connection with a given number.
        server_cpu: returns the server's CPU time so far, in seconds.
        around: entered for the window, to measure something else.
        limit_seconds: how long to wait for the ends after the window; tokens missing then count as
            lost.
    """
    connections: list[Connection] = []
    try:
        first = time.monotonic()
        for number in range(streams):
            connections.append(await connect(await ask(number)))
            await asyncio.sleep(first + (number + 1) * open_every_seconds - time.monotonic())
        await asyncio.wait([c.begun for c in connections], timeout=limit_seconds)
        await asyncio.sleep(settle_seconds)
        async with around or nullcontext():
            began, cpu, own = time.monotonic_ns(), server_cpu(), time.process_time()
            await asyncio.sleep(window_seconds)
            ended = time.monotonic_ns()
            cpu, own = server_cpu() - cpu, time.process_time() - own
        await asyncio.wait([c.ended for c in connections], timeout=limit_seconds)
    finally:
        for connection in connections:
            connection.close()
    return Run([c.watched for c in connections], (began, ended), cpu, own)
