"""Two stand-ins for the processes behind nginx: they record requests and answer as planned."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import eventually

FULL = (
    b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Type: application/problem+json\r\n"
    b'Content-Length: 16\r\n\r\n{"code": "full"}'
)
LAST_WORDS = FULL.replace(b"full", b"last")
HELLO = b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello"
DIES = b""
BUSY = b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n"  # its body comes at the end of the test


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Seen:
    process: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class StandIns:
    """Two processes; the n-th request to either of them gets the n-th answer, then the last."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.seen: list[Seen] = []
        self.servers: list[asyncio.Server] = []
        self.is_over = asyncio.Event()
        self.nginx: NginxServer

    async def serve(self, number: int, reader: Any, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        self.seen.append(Seen(number, method, target, headers, body))
        answer = self._answers[min(len(self.seen), len(self._answers)) - 1]
        if answer == LAST_WORDS:
            self.servers[number - 1].close()  # answers accepted connections still
        writer.write(answer)
        await writer.drain()
        if answer == BUSY:
            await self.is_over.wait()
        writer.close()

    @asynccontextmanager
    async def busy_process(self) -> AsyncIterator[None]:
        """Give the other process fewer connections from now on, so that nginx asks it first."""
        asking = asyncio.create_task(self.ask("GET", "/api/streams/x/events"))
        await eventually(lambda: len(self.seen) == 1)
        try:
            yield
        finally:
            self.is_over.set()
            await asyncio.gather(asking, return_exceptions=True)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        return await asyncio.to_thread(self._ask, method, path, body, headers)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.nginx.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()


@asynccontextmanager
async def behind_nginx(
    folder: Path,
    *answers: bytes,
    absent: int = 0,
    changes: Mapping[str, str] = {},
    conf: Callable[[list[int]], str] | None = None,
) -> AsyncIterator[StandIns]:
    """Run nginx with two stand-ins.

    Args:
        absent: the number of further processes, first in the list, that do not run.
        changes: of the configuration, as in `NginxServer`.
        conf: makes another form of the configuration, from the ports of the processes.
    """
    if NGINX is None:
        skip_loudly(NO_NGINX)
    stand_ins = StandIns(*answers)
    servers = stand_ins.servers
    for number in (1, 2):

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = number
        ) -> None:
            await stand_ins.serve(number, reader, writer)

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
    ports = [free_port() for _ in range(absent)]
    ports += [server.sockets[0].getsockname()[1] for server in servers]
    try:
        written = None if conf is None else conf(ports)
        with running_nginx(folder / "nginx", ports, changes=changes, conf=written) as nginx:
            stand_ins.nginx = nginx
            yield stand_ins
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()
