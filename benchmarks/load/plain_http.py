"""The least of an HTTP/1.1 client: any bytes as a request, from any address of this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD_BYTES = 1 << 20

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Head:
    """Of an answer. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)


class NoAnswer(OSError):
    """The server closed the connection before the head of an answer was whole."""


async def open_connection(
    port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None
) -> Streams:
    """A connection to a loopback port.

    Args:
        source: the loopback address that it comes from.
        receive_buffer: bytes that the kernel keeps for a reader that does not read.

    Raises:
        OSError: it can't be made.
    """
    sock = socket.socket()
    try:
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return await asyncio.open_connection(sock=sock, limit=HEAD_BYTES)
    except BaseException:
        sock.close()
        raise


@asynccontextmanager
async def connection(
    port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None
) -> AsyncIterator[Streams]:
    """The one of `open_connection`, cut at the end without waiting."""
    streams = await open_connection(port, source=source, receive_buffer=receive_buffer)
    try:
        yield streams
    finally:
        streams[1].transport.abort()


def request(
    port: int, method: str, path: str, headers: Mapping[str, str] = {}, body: bytes = b""
) -> bytes:
    """A whole request; the host and the body's length are added where `headers` lack them."""
    lines = {"Host": f"127.0.0.1:{port}"}
    if body:
        lines["Content-Length"] = str(len(body))
    lines |= headers
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


async def read_head(reader: asyncio.StreamReader) -> Head:
    """
    Raises:
        NoAnswer
        OSError: the connection broke.
    """
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NoAnswer from None
    first, *lines = data.decode("latin-1").rstrip("\r\n").split("\r\n")
    head = Head(int(first.split()[1]))
    for line in lines:
        name, _, value = line.partition(":")
        head.headers[name.lower()] = value.strip()
        if name.lower() == "set-cookie":
            key, _, cookie = value.partition(";")[0].strip().partition("=")
            head.cookies[key] = cookie
    return head


async def call(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] = {},
    body: bytes = b"",
    *,
    source: str = "127.0.0.1",
) -> tuple[Head, bytes]:
    """One request on a connection of its own, read to the end; no chunked answers.

    Raises:
        OSError: `NoAnswer`, or the connection broke.
    """
    async with connection(port, source=source) as (reader, writer):
        writer.write(request(port, method, path, {"Connection": "close", **headers}, body))
        head = await read_head(reader)
        length = head.headers.get("content-length")
        return head, await (reader.read() if length is None else reader.readexactly(int(length)))


def session_headers(port: int, cookies: Mapping[str, str]) -> dict[str, str]:
    """What a page of the site sends along with a write."""
    return {
        "Origin": f"http://127.0.0.1:{port}",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies.get("csrftoken", ""),
    }
