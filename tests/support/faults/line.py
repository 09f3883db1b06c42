"""Lightweight clients of both transports: a raw socket, and the events decoded from it.

Tests open many of them, so they have no schema and no task. `SseLine` and `SocketLine` have the
same interface: `open` sends the request, `read` waits for bytes and returns the complete events,
and `reset` breaks the connection.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any

from tests.support.faults.history import Event

_AT_ONCE = 65_536


class LineEnded(Exception):
    """The connection has ended.

    Args:
        why: a value for `Connection.ended_by`.
        wait_seconds: the delay that the server asks for before the next attempt.
    """

    def __init__(self, why: str, wait_seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait_seconds = wait_seconds


class Line:
    """A connection to a server on this machine.

    Attributes:
        received: bytes of the response so far, including its head.
        limit: the number of bytes after which `read` raises `LineEnded("drop")`.
        cookies: set by the response's head.
    """

    def __init__(self, sock: socket.socket, port: int) -> None:
        self._sock = sock
        self._rest = b""
        self._has_head = False
        self.port = port
        self.received = 0
        self.limit: int | None = None
        self.cookies: dict[str, str] = {}

    @classmethod
    async def dial(cls, port: int) -> socket.socket:
        """Connect to a port.

        Raises:
            LineEnded: `refused`.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            raise LineEnded("refused") from None
        except BaseException:
            sock.close()
            raise
        return sock

    def reset(self) -> None:
        """Break the connection with an RST. Idempotent."""
        if self._sock.fileno() >= 0:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    async def read(self) -> list[Event]:
        """Read the events in the next bytes; may be none.

        Raises:
            LineEnded: the connection ended, or reached `limit`.
        """
        at_most = _AT_ONCE
        if self.limit is not None:
            if self.received >= self.limit:
                raise LineEnded("drop")
            at_most = min(at_most, self.limit - self.received)
        try:
            data = await asyncio.get_running_loop().sock_recv(self._sock, at_most)
        except OSError:
            raise LineEnded("lost") from None
        if not data:
            raise self._ended()
        self.received += len(data)
        self._rest += data
        if not self._has_head:
            head, separator, rest = self._rest.partition(b"\r\n\r\n")
            if not separator:
                return []
            self._rest, self._has_head = rest, True
            self._take_head(head.decode("latin-1"))
        return self._take_rest()

    async def _send(self, data: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except OSError:
            raise LineEnded("lost") from None

    def _take_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                key, _, cookie = value.partition(";")[0].strip().partition("=")
                self.cookies[key] = cookie
            headers[name.lower()] = value.strip()
        self._judge(int(first.split()[1]), headers)

    def _judge(self, status: int, headers: Mapping[str, str]) -> None:
        """Process the head, or raise `LineEnded`."""
        raise NotImplementedError

    def _take_rest(self) -> list[Event]:
        raise NotImplementedError

    def _ended(self) -> LineEnded:
        return LineEnded("lost")


def refusal(status: int, headers: Mapping[str, str]) -> LineEnded:
    after = headers.get("retry-after", "")
    return LineEnded(f"http {status}", float(after) if after.isdigit() else None)


class SseLine(Line):
    """One request whose response is an event stream in chunks."""

    def __init__(self, sock: socket.socket, port: int) -> None:
        super().__init__(sock, port)
        self._chunk_left = 0  # bytes left of the current chunk, including its line end
        self._text = b""
        self._is_over = False
        self.last_event_id = ""

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        *,
        headers: Mapping[str, str],
        data: Any = None,
    ) -> SseLine:
        """Send a GET, or a POST with JSON, without waiting for the response.

        Raises:
            LineEnded: the connection failed.
        """
        line = cls(await cls.dial(port), port)
        body = b"" if data is None else json.dumps(data).encode()
        lines = [f"{'GET' if data is None else 'POST'} {path} HTTP/1.1"]
        headers = {"Host": f"127.0.0.1:{port}", "Accept": "text/event-stream", **headers}
        if data is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            await line._send("\r\n".join([*lines, "", ""]).encode() + body)
        except BaseException:
            line.reset()
            raise
        return line

    def _judge(self, status: int, headers: Mapping[str, str]) -> None:
        if status != 200:
            raise refusal(status, headers)
        assert headers["content-type"].startswith("text/event-stream"), headers
        assert headers["transfer-encoding"] == "chunked", headers

    def _ended(self) -> LineEnded:
        return LineEnded("closed" if self._is_over else "lost")

    def _take_rest(self) -> list[Event]:
        self._undo_chunks()
        *blocks, self._text = self._text.split(b"\n\n")
        return [event for block in blocks if (event := self._event_of(block)) is not None]

    def _undo_chunks(self) -> None:
        while self._rest and not self._is_over:
            if self._chunk_left > 2:
                data = self._rest[: self._chunk_left - 2]
                self._rest = self._rest[len(data) :]
                self._chunk_left -= len(data)
                self._text += data
            elif self._chunk_left:
                skipped = min(self._chunk_left, len(self._rest))
                self._rest = self._rest[skipped:]
                self._chunk_left -= skipped
            else:
                size, separator, rest = self._rest.partition(b"\r\n")
                if not separator:
                    return
                self._rest = rest
                self._chunk_left = int(size, 16) + 2
                self._is_over = self._chunk_left == 2

    def _event_of(self, block: bytes) -> Event | None:
        event: Event | None = None
        event_id = None
        for line in block.split(b"\n"):
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
            elif line.startswith(b"id: "):
                event_id = line[4:].decode()
        if event is None:
            return None
        # Only events that move the cursor carry an id, which is the new cursor.
        place = event["after"] if event["type"] == "start" else event.get("seq")
        expected = None if place is None else f"{event['stream_id']}:{place}"
        assert event_id == expected, f"id {event_id!r} with {event}"
        self.last_event_id = event_id or self.last_event_id
        return event


class SocketLine(Line):
    """A WebSocket whose events are all JSON frames. Answers pings."""

    @classmethod
    async def open(cls, port: int, path: str, *, headers: Mapping[str, str]) -> SocketLine:
        """Send the handshake without waiting for its response.

        Frames may follow once `read` has returned the `hello`.

        Raises:
            LineEnded: the connection failed.
        """
        line = cls(await cls.dial(port), port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Upgrade: websocket"]
        headers = {"Host": f"127.0.0.1:{port}", **headers}
        lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            await line._send("\r\n".join([*lines, "", ""]).encode())
        except BaseException:
            line.reset()
            raise
        return line

    async def send(self, **frame: Any) -> None:
        """Send one JSON frame.

        Raises:
            LineEnded: the connection failed.
        """
        await self._send(self._masked(0x1, json.dumps(frame).encode()))

    @staticmethod
    def _masked(opcode: int, data: bytes) -> bytes:
        # The mask is all zeros, which is legal and leaves the bytes unchanged.
        size = len(data)
        if size < 126:
            return struct.pack("!BB4x", 0x80 | opcode, 0x80 | size) + data
        assert size < 65_536
        return struct.pack("!BBH4x", 0x80 | opcode, 0x80 | 126, size) + data

    def _judge(self, status: int, headers: Mapping[str, str]) -> None:
        if status != 101:
            raise refusal(status, headers)

    def _take_rest(self) -> list[Event]:
        events: list[Event] = []
        while (frame := self._frame()) is not None:
            opcode, data = frame
            if opcode == 0x1:
                events.append(json.loads(data))
            elif opcode == 0x8:
                code = struct.unpack("!H", data[:2])[0] if data else 1005
                events.append({"type": "closed", "code": code})
            elif opcode == 0x9:
                self._sock.send(self._masked(0xA, data))
        return events

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._rest) < 2:
            return None
        first, size = self._rest[0], self._rest[1]
        begin = 2
        if size == 126 and len(self._rest) >= 4:
            (size,) = struct.unpack_from("!H", self._rest, 2)
            begin = 4
        elif size == 127 and len(self._rest) >= 10:
            (size,) = struct.unpack_from("!Q", self._rest, 2)
            begin = 10
        elif size >= 126:
            return None
        if len(self._rest) < begin + size:
            return None
        assert first & 0x80, "a message in pieces"
        data = self._rest[begin : begin + size]
        self._rest = self._rest[begin + size :]
        return first & 0x0F, data
