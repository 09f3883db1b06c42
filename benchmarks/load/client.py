"""A client light enough not to be what is measured: it notes when bytes came, and reads them later.

Each connection starts one stream and keeps what it receives as it is. Tokens are looked for when
the run is over; each holds the time at which it was due (a script's `clock`), on the same
monotonic clock as the client's.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

Transport = Literal["sse", "websocket"]

PATH = "/api/stream/ai-block/ask-question?prompt=x"
_CHUNK = re.compile(rb'"seq":(\d+),(?:"first_seq":(\d+),)?"token":"([\d ]+)"')
_END = b'"type":"complete"'


@dataclass
class Watched:
    """What one connection received: pieces as they came, and when (ns, monotonic)."""

    pieces: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def arrivals(self) -> Iterator[tuple[int, int, int]]:
        """Seq, due time and arrival time of each token; times in ns."""
        ends: list[int] = []
        total = 0
        for piece in self.pieces:
            total += len(piece)
            ends.append(total)
        for match in _CHUNK.finditer(b"".join(self.pieces)):
            arrived = self.times[bisect_left(ends, match.end())]
            last, first = int(match[1]), int(match[2] or match[1])
            dues = match[3].split()
            assert len(dues) == last - first + 1
            for seq, due in enumerate(dues, first):
                yield seq, int(due), arrived


class _Connection(asyncio.Protocol):
    """Asks for a stream, and takes down what comes until its end."""

    def __init__(self, transport: Transport, port: int) -> None:
        self.watched = Watched()
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tail = b""
        self._is_websocket = transport == "websocket"
        path = "/ws/stream" if self._is_websocket else PATH
        upgrade = (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            if self._is_websocket
            else "Accept: text/event-stream\r\n"
        )
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{upgrade}\r\n".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._is_websocket and not self.watched.pieces:  # the handshake's answer
            start = {"type": "start", "ref": "r", "block_type": "ask-question", "prompt": "x"}
            self._transport.write(_masked(json.dumps(start).encode()))
        self.watched.times.append(time.monotonic_ns())
        self.watched.pieces.append(data)
        if not self.begun.done() and b'"token"' in data:
            self.begun.set_result(None)
        if _END in self._tail + data and not self.ended.done():
            self.ended.set_result(None)
        self._tail = data[-len(_END) :]

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.begun, self.ended):
            if not future.done():
                future.set_result(None)


def _masked(text: bytes) -> bytes:
    """One short WebSocket text frame of a client's."""
    assert len(text) < 126
    return struct.pack("!BBI", 0x81, 0x80 | len(text), 0) + text  # masked with zeros: unchanged


@dataclass(frozen=True)
class Run:
    """One case, as it was received, with CPU times (s) over the window between two times (ns)."""

    watched: list[Watched]
    window: tuple[int, int]
    server_cpu: float
    client_cpu: float


async def run(
    transport: Transport,
    port: int,
    *,
    streams: int,
    open_every_seconds: float,
    settle_seconds: float,
    window_seconds: float,
    limit_seconds: float,
    server_cpu: Callable[[], float],
) -> Run:
    """Open streams one by one, let them settle, take the CPU over a window, wait for their ends.

    Args:
        server_cpu: the server's CPU time so far, in seconds.
        limit_seconds: how long to wait for the ends, after the window; what is missing then was
            not delivered.
    """
    loop = asyncio.get_running_loop()
    connections: list[_Connection] = []
    transports: list[asyncio.BaseTransport] = []
    try:
        for _ in range(streams):
            made, connection = await loop.create_connection(
                lambda: _Connection(transport, port), "127.0.0.1", port
            )
            transports.append(made)
            connections.append(connection)
            await asyncio.sleep(open_every_seconds)
        await asyncio.wait([c.begun for c in connections], timeout=limit_seconds)
        await asyncio.sleep(settle_seconds)
        began, cpu, own = time.monotonic_ns(), server_cpu(), time.process_time()
        await asyncio.sleep(window_seconds)
        ended = time.monotonic_ns()
        cpu, own = server_cpu() - cpu, time.process_time() - own
        await asyncio.wait([c.ended for c in connections], timeout=limit_seconds)
    finally:
        for opened in transports:
            opened.close()
    return Run([c.watched for c in connections], (began, ended), cpu, own)
