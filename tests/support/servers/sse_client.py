"""A raw HTTP/1.1 client for event streams: strict, and able to stop reading at any byte."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.schema import validate_event
from tests.support.streaming.sse_reader import SseReader

TIMEOUT_SECONDS = 30.0


class ConnectionEnded(Exception):
    """The body ended, or the connection broke, before the awaited data."""


class SseClient:
    """One request and its response body. Created by `open`.

    `events` are all events so far, each validated against the schema; `times` are their arrival
    times.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self._header_lines: list[tuple[str, str]] = []
        self.cookies: dict[str, str] = {}
        self.reader = SseReader()
        self.events: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.reads: list[float] = []  # arrival times of the body's bytes
        self.body = b""
        self.body_bytes = 0
        self.has_ended = False  # the body ended regularly
        self._chunk_left = 0
        self._is_stream = False
        self._is_chunked = False
        self._length: int | None = None

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        receive_buffer: int | None = None,
    ) -> SseClient:
        """Send a request and read the head of its response."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        client = cls(sock)
        try:
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", port))
            lines = [f"{method} {path} HTTP/1.1"]
            headers = {"Host": f"127.0.0.1:{port}", **headers}
            if body:
                lines.append(f"Content-Length: {len(body)}")
            lines += [f"{name}: {value}" for name, value in headers.items()]
            await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode() + body)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await client._read_head()
        except BaseException:
            sock.close()
            raise
        return client

    def values(self, name: str) -> list[str]:
        """Return the values of a header, one for each time that it was sent."""
        return [value for each, value in self._header_lines if each == name]

    # --- reading ---------------------------------------------------------------

    async def read(self, at_most: int = 65536) -> None:
        """Read some bytes of the body.

        Raises:
            ConnectionEnded: the body has ended.
        """
        if self.has_ended:
            raise ConnectionEnded("the body has ended")
        try:
            data = await asyncio.get_running_loop().sock_recv(self._sock, at_most)
        except ConnectionError as error:
            raise ConnectionEnded(repr(error)) from None
        if not data:
            raise ConnectionEnded("the line was cut in mid-body")
        self._rest += data
        self._read_body()

    async def until(
        self,
        condition: Callable[[SseClient], Any],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Read until a condition holds.

        Raises:
            ConnectionEnded: the body ended first.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while not condition(self):
                    await self.read()
        except TimeoutError:
            raise AssertionError(f"not in {timeout_seconds} s: {self.events[-3:]}") from None

    async def until_event(self, *types: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
        """Return the first event of one of these types, among past and future ones."""

        def find(client: SseClient) -> dict[str, Any] | None:
            return next((e for e in client.events if e["type"] in types), None)

        await self.until(find, timeout_seconds=timeout_seconds)
        return find(self)

    async def read_bytes(self, count: int) -> None:
        """Read exactly this many bytes of the body, counted from its start.

        Raises:
            ConnectionEnded: the body is shorter.
        """
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while self.body_bytes < count:
                await self.read(count - self.body_bytes)

    async def until_end(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[dict[str, Any]]:
        """Read until the body's regular end; return all events."""
        await self.until(lambda client: client.has_ended, timeout_seconds=timeout_seconds)
        return self.events

    def widen(self) -> None:
        """Undo `receive_buffer`."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    async def json(self) -> Any:
        """Read the whole body of a response that is not a stream."""
        await self.until(lambda client: client.has_ended)
        return json.loads(self.body)

    # --- ending ----------------------------------------------------------------

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._sock.close()

    def reset(self) -> None:
        """Close it like a broken connection: RST instead of FIN."""
        if self._sock.fileno() >= 0:
            linger = struct.pack("ii", 1, 0)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._sock.close()

    async def __aenter__(self) -> SseClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    # --- inside ------------------------------------------------------------------

    async def _read_head(self) -> None:
        # Byte by byte, so that no part of the body leaves the socket before it is requested.
        loop = asyncio.get_running_loop()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            got = await loop.sock_recv(self._sock, 1)
            if not got:
                raise ConnectionEnded(f"no head: {head!r}")
            head += got
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.status = int(first.split()[1])
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                key, _, cookie = value.partition(";")[0].strip().partition("=")
                self.cookies[key] = cookie
            self.headers[name.lower()] = value.strip()
            self._header_lines.append((name.lower(), value.strip()))
        self._is_stream = self.headers.get("content-type", "").startswith("text/event-stream")
        self._is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        if "content-length" in self.headers:
            self._length = int(self.headers["content-length"])
        self.has_ended = self._length == 0 or self.status in (204, 304)

    def _read_body(self) -> None:
        if not self._is_chunked:
            self._take(self._rest)
            self._rest = b""
            self.has_ended = self._length is not None and self.body_bytes >= self._length
            return
        while self._rest:
            if self._chunk_left > 2:
                data = self._rest[: self._chunk_left - 2]
                self._rest = self._rest[len(data) :]
                self._chunk_left -= len(data)
                self._take(data)
            elif self._chunk_left:
                end, self._rest = self._rest[: self._chunk_left], self._rest[self._chunk_left :]
                assert b"\r\n".endswith(end) or end == b"\r", f"no end of a chunk: {end!r}"
                self._chunk_left -= len(end)
            else:
                size, separator, rest = self._rest.partition(b"\r\n")
                if not separator:
                    return  # the size is incomplete
                self._rest = rest
                if int(size, 16) == 0:
                    self.has_ended = True
                    return
                self._chunk_left = int(size, 16) + 2

    def _take(self, data: bytes) -> None:
        now = time.monotonic()
        self.body_bytes += len(data)
        self.reads.append(now)
        if not self._is_stream:
            self.body += data
            return
        for message in self.reader.feed(data):
            event = json.loads(message.data)
            assert event["type"] == message.type
            validate_event(event)
            self.events.append(event)
            self.times.append(now)
