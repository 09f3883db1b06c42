"""A minimal HTTP/1.1 client: any bytes as a request, from any address of this machine."""

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
    """The head of a response. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)


class NoAnswer(OSError):
    """The server closed the connection before sending a complete head."""


async def open_connection(
    port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None
) -> Streams:
    """Open a connection to a loopback port.

    Args:
        source: the client's loopback address.
        receive_buffer: size of the kernel's receive buffer, in bytes.

    Raises:
        OSError: the connection failed.
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
    """Open a connection as `open_connection` does, and abort it at the end."""
    streams = await open_connection(port, source=source, receive_buffer=receive_buffer)
    try:
        yield streams
    finally:
        streams[1].transport.abort()


def request(
    port: int, method: str, path: str, headers: Mapping[str, str] = {}, body: bytes = b""
) -> bytes:
    """Build a complete request; adds the host and the body's length if `headers` lack them."""
    lines = {"Host": f"127.0.0.1:{port}"}
    if body:
        lines["Content-Length"] = str(len(body))
    lines |= headers
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read the head of a response.

    Raises:
        NoAnswer: the server closed the connection first.
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
    """Send one request on a connection of its own and read the response; not for chunked responses.

    Raises:
        OSError: `NoAnswer`, or the connection broke.
    """
    async with connection(port, source=source) as (reader, writer):
        writer.write(request(port, method, path, {"Connection": "close", **headers}, body))
        head = await read_head(reader)
        length = head.headers.get("content-length")
        return head, await (reader.read() if length is None else reader.readexactly(int(length)))


def session_headers(port: int, cookies: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a page of the site adds to a write."""
    return {
        "Origin": f"http://127.0.0.1:{port}",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies.get("csrftoken", ""),
    }
