"""Requests and answers as the access tests see them, and a connection that is kept open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """One request; `headers` are in addition to those of the right it comes with."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_form(self) -> bool:
        return "form" in self.headers.get("Content-Type", "")

    def mentions(self, names: Iterable[str]) -> bool:
        """Whether any of these names is part of it."""
        whole = f"{self.path} {' '.join(self.headers.values())} {self.body.decode()}"
        return any(name in whole for name in names)


@dataclass(frozen=True)
class Answer:
    """One answer. Header names are in lower case, in the order in which they came.

    The body of an event stream is its first piece.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each == name), "")


class Line:
    """A connection to a port, opened again whenever the server or an event stream has ended it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request, headers: Mapping[str, str]) -> Answer:
        """Send a request and read its answer.

        Raises:
            OSError, EOFError: the connection broke.
            TimeoutError
        """
        lines = {"Host": f"127.0.0.1:{self.port}", **headers, **request.headers}
        if request.body or request.method == "POST":
            lines["Content-Length"] = str(len(request.body))
        head = [f"{request.method} {request.path} HTTP/1.1", *map(": ".join, lines.items())]
        sent = "\r\n".join([*head, "", ""]).encode("latin-1") + request.body
        async with asyncio.timeout(TIMEOUT_SECONDS):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
            reader, writer = self._streams
            try:
                writer.write(sent)
                answer = await _read(reader)
            except BaseException:
                self.close()
                raise
        is_stream = answer.header("content-type").startswith("text/event-stream")
        if is_stream or answer.header("connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _read(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    pairs = [line.split(":", 1) for line in lines]
    headers = tuple((name.lower(), value.strip()) for name, value in pairs)
    answer = Answer(int(first.split()[1]), headers)
    if answer.header("content-type").startswith("text/event-stream"):
        return Answer(answer.status, headers, await reader.read(4096))
    if answer.header("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return Answer(answer.status, headers, body)
    length = int(answer.header("content-length") or 0)
    return Answer(answer.status, headers, await reader.readexactly(length))
