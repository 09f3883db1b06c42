"""The requests that the deployed nginx retries at a second process, and those that it doesn't.

Stand-ins replace the processes behind it: two listeners that record requests and answer as planned.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streaming.errors import Refused
from streaming.http.problems import problem_body
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import eventually
from tests.support.servers.visitor import START

LARGE = b"x" * 1_000_000  # more than any of nginx's own buffers
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
    folder: Path, *answers: bytes, absent: int = 0, changes: Mapping[str, str] = {}
) -> AsyncIterator[StandIns]:
    """Run nginx with two stand-ins.

    Args:
        absent: the number of further processes, first in the list, that do not run.
        changes: of the configuration, as in `NginxServer`.
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
        with running_nginx(folder / "nginx", ports, changes=changes) as nginx:
            stand_ins.nginx = nginx
            yield stand_ins
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize("path", [START, f"{START}?wait=1"])
async def test_a_start_that_one_process_refuses_is_made_by_the_other(
    tmp_path: Path, path: str
) -> None:
    async with behind_nginx(tmp_path, FULL, HELLO) as site:
        answer = await site.ask("POST", path, LARGE)
        assert (answer.status, answer.body) == (200, b"hello")
        posts = site.seen
        assert [one.target for one in posts] == [path, path]
        assert [one.method for one in posts] == ["POST", "POST"]
        assert all(one.body == LARGE for one in posts)


async def test_where_all_refuse_their_own_words_arrive(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, FULL) as site:
        for method, body in (("GET", b""), ("POST", b"{}")):
            answer = await site.ask(method, START, body)
            assert answer.status == 503
            assert json.loads(answer.body) == {"code": "full"}
            headers = [(name.lower(), value) for name, value in answer.headers]
            assert headers.count(("retry-after", "7")) == 1
            assert headers.count(("content-type", "application/problem+json")) == 1
        assert {one.process for one in site.seen} == {1, 2}
        assert "no live upstreams" not in site.nginx.error_log


@pytest.mark.parametrize("path", [START, "/api/streams/x/cancel", "/admin/login/"])
async def test_a_post_that_a_process_died_over_is_not_sent_again(tmp_path: Path, path: str) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO) as site:
        answer = await site.ask("POST", path, b"{}")
        assert answer.status == 502
        assert len(site.seen) == 1


async def test_also_not_if_another_one_had_refused_it(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, FULL, DIES, HELLO) as site:
        answer = await site.ask("POST", START, b"{}")
        assert answer.status == 502
        assert len(site.seen) == 2


async def test_also_not_if_the_same_one_had_refused_it(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, BUSY, FULL, DIES, HELLO) as site, site.busy_process():
        answer = await site.ask("POST", START, b"{}")
        assert answer.status == 502
        assert [one.process for one in site.seen] == [1, 2, 2]


async def test_a_start_refused_by_a_process_that_closes_then_is_made_by_the_other(
    tmp_path: Path,
) -> None:
    async with behind_nginx(tmp_path, BUSY, LAST_WORDS, HELLO) as site, site.busy_process():
        answer = await site.ask("POST", START, LARGE)
        assert (answer.status, answer.body) == (200, b"hello")
        assert [one.process for one in site.seen] == [1, 2, 1]
        assert site.seen[-1].body == LARGE
        # nginx tried the closed port in between, and sent nothing there.
        assert " 503 : 502 : " in site.nginx.access_log


async def test_a_get_that_a_process_died_over_is_asked_of_the_other(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO) as site:
        for path in ("/api/streams/x/events", "/api/streams", "/"):
            before = len(site.seen)
            assert (await site.ask("GET", path)).status == 200
            assert {one.target for one in site.seen[before:]} == {path}
        assert {one.process for one in site.seen[:2]} == {1, 2}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [START, "/api/streams/x/events", "/ws/stream", "/api/streams"])
async def test_processes_that_do_not_run_are_stepped_over(
    tmp_path: Path, method: str, path: str
) -> None:
    async with behind_nginx(tmp_path, HELLO, absent=2) as site:
        for _ in range(5):
            assert (await site.ask(method, path, b"")).status == 200
        assert len(site.seen) == 5


async def test_the_processes_hear_who_asks_and_nothing_that_a_client_made_up(
    tmp_path: Path,
) -> None:
    claims = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "made-up",
        "Upgrade": "h2c",
        "Connection": "Upgrade, HTTP2-Settings",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }
    async with behind_nginx(tmp_path, HELLO) as site:
        await site.ask("GET", "/api/config", **claims)
        headers = site.seen[0].headers
        assert headers["host"] == f"127.0.0.1:{site.nginx.port}"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
        assert "upgrade" not in headers
        assert headers["connection"] == "close"


async def test_a_body_may_have_one_mebibyte_and_not_a_byte_more(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, HELLO, changes={" crit;": " warn;"}) as site:
        for path in (START, "/api/streams/x/cancel", "/admin/"):
            assert (await site.ask("POST", path, b"x" * 1_048_576)).status == 200
            answer = await site.ask("POST", path, b"x" * 1_048_577)
            assert answer.status == 413
            assert ("Content-Type", "application/problem+json") in answer.headers
            said = Refused("prompt_too_long", "A body may hold 1,048,576 bytes at most.")
            assert json.loads(answer.body) == json.loads(problem_body(said))
        assert len(site.seen) == 3
        assert "is buffered to a temporary file" not in site.nginx.error_log  # prompts on disk


async def test_no_log_of_nginx_holds_what_people_ask(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO, absent=1) as site:
        query = "prompt=a-secret-question"
        referer = {"Referer": f"http://127.0.0.1:{site.nginx.port}/?{query}"}
        for path in (START, "/api/streams", "/static/ai/x.js", "/ws/stream"):
            await site.ask("GET", f"{path}?{query}", **referer)
        await site.ask("POST", f"{START}?{query}", b"x" * 1_048_577)
        await site.ask("POST", START, b'{"prompt": "a-secret-question"}')
        for page in ("password/reset/key/1-", "confirm-email/", "invitation/"):
            await site.ask("GET", f"/account/{page}a-secret-key/")
            await site.ask("GET", f"/ai/account/{page}a-secret-key/")
        assert any(query in one.target for one in site.seen)
        nginx = site.nginx
        nginx.end()  # flushes all log lines
        lines = nginx.access_log.splitlines()
        assert len(lines) == 12
        assert " GET /ai/account/invitation/... 200 " in lines[-1]
        assert f" GET {START} 200 " in lines[0] and '"127.0.0.1:' in lines[0]
        assert "502, " in nginx.access_log  # the equivalent of the error log for absent processes
        assert "secret" not in nginx.access_log + nginx.error_log
