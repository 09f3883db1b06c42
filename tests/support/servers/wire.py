"""Raw sockets to a server: bytes out, bytes in, without any protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from dataclasses import dataclass, field

HOST = b"Host: localhost\r\n"
TIMEOUT_SECONDS = 25.0  # below the 30 s after which the server cuts a stalled client


def get(path: str, *lines: str, version: str = "1.1") -> bytes:
    head = [f"GET {path} HTTP/{version}", "Host: localhost", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n"


def post(path: str, *lines: str, body: bytes = b"", version: str = "1.1") -> bytes:
    head = [f"POST {path} HTTP/{version}", "Host: localhost", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> Answer:
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        return cls(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


@dataclass
class Wire:
    """One TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _trickling: asyncio.Task[None] | None = field(default=None, init=False)

    @classmethod
    async def open(
        cls, port: int, *, local: str = "127.0.0.1", receive_buffer: int | None = None
    ) -> Wire:
        raw = socket.socket()
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.bind((local, 0))
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=raw, limit=1 << 26))

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._trickling is not None:
            self._trickling.cancel()
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def trickle(self, byte: bytes, *, every_seconds: float = 0.05) -> None:
        """Send one byte repeatedly until the connection is closed."""

        async def run() -> None:
            while not self.writer.transport.is_closing():
                self.writer.write(byte)
                await asyncio.sleep(every_seconds)

        self._trickling = asyncio.create_task(run())

    async def rest(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
        """Read everything until the server ends the connection."""
        async with asyncio.timeout(timeout_seconds):
            return await self.reader.read()

    async def answer(self) -> Answer:
        """Return the single response of a connection that the server closes."""
        return Answer.parse(await self.rest())

    async def until(self, text: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self.reader.readuntil(text)

    async def become_socket(self, query: str = "?follow=none") -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            get(
                f"/ws/stream{query}",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Key: {key}",
            )
        )
        await self.until(b"\r\n\r\n")
        assert json.loads((await self.frame())[1])["type"] == "hello"

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """Return the code of the close frame, skipping everything before it."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(
    opcode: int, payload: bytes = b"", *, is_last: bool = True, length: int | None = None
) -> bytes:
    """Build a client's frame. A larger `length` announces more than the frame contains."""
    size = len(payload) if length is None else length
    if size < 126:
        header = struct.pack("!B", 0x80 | size)
    elif size < 1 << 16:
        header = struct.pack("!BH", 0x80 | 126, size)
    else:
        header = struct.pack("!BQ", 0x80 | 127, size)
    return bytes([is_last << 7 | opcode]) + header + bytes(4) + payload
