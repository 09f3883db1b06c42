"""Behind nginx, nothing is buffered or cut, and nginx serves the files."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from websockets.exceptions import ConnectionClosed

from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.faults.plan import Plan
from tests.support.faults.site import Site, held_stream, running_site
from tests.support.servers.harness import Database, eventually, running_many
from tests.support.servers.sse_client import ConnectionEnded, SseClient
from tests.support.servers.visitor import START, Held, Socket, Visitor

IMPATIENT = "tests.support.servers.asgi_impatient:application"  # a heartbeat every 0.5 s
PATIENCE_SECONDS = 5


@pytest.fixture(scope="module")
def calm_site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site that all tests without faults share."""
    with running_site(template, tmp_path_factory.mktemp("calm")) as site:
        yield site
        for server in site.servers:
            server.assert_unharmed()


# --- nothing is buffered ----------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        # nginx's setting must suffice without the application's, and vice versa.
        {"proxy_buffering off;": "proxy_buffering off; proxy_ignore_headers X-Accel-Buffering;"},
        {"proxy_buffering off;": ""},
    ],
    ids=["by-the-configuration", "by-the-header"],
)
async def test_each_token_arrives_while_the_answer_is_written(
    calm_site: Site, tmp_path: Path, changes: dict[str, str]
) -> None:
    ports = [server.port for server in calm_site.servers]
    with running_nginx(tmp_path / "nginx", ports, changes=changes) as nginx:
        site = Site(calm_site.servers, nginx, calm_site.upstream)
        key = f"each-{nginx.port}"
        async with held_stream(site, key, every_ms=40) as (visitor, client):
            stream_id = client.events[0]["stream_id"]
            assert (await visitor.snapshot(stream_id))["status"] == "running"
            async with await visitor.watch(stream_id) as second:
                await second.until_event("chunk")  # over the other location
                calm_site.upstream.release(key)
                views = [await client.until_end(), await second.until_end()]
        for events in views:
            assert Held().take_all(events).text == Plan(key, tokens=30).text
            assert events[-1]["type"] == "complete"


async def test_a_socket_carries_streams_of_both_processes(calm_site: Site) -> None:
    visitor = await Visitor.arrive(calm_site.nginx.port)
    # Two sockets at once: the second goes to the process with fewer connections.
    async with visitor.socket() as first, visitor.socket() as second:
        held = Held()
        stream_id = await first.start(Plan("socket", tokens=20).prompt)
        end = await second.until_end(stream_id)
        held.take_all(second.events_of(stream_id))
        assert end == await first.until_end(stream_id)
        assert held.text == Plan("socket", tokens=20).text
    await eventually(lambda: calm_site.nginx.access_log.count(" /ws/stream 101 ") == 2)
    lines = [line for line in calm_site.nginx.access_log.splitlines() if "/ws/stream" in line]
    assert {line.partition('upstream="')[2].partition('"')[0] for line in lines} == {
        f"127.0.0.1:{server.port}" for server in calm_site.servers
    }


async def test_nginx_logs_the_id_that_an_answer_and_our_lines_carry(calm_site: Site) -> None:
    async with await Visitor(calm_site.nginx.port).open("/api/nothing") as client:
        request_id = client.headers["x-request-id"]
    await eventually(lambda: f"request_id={request_id}\n" in calm_site.nginx.access_log)
    lines = [line for server in calm_site.servers for line in server.output.splitlines()]
    (line,) = [line for line in lines if request_id in line]
    assert line.endswith("Not Found: /api/nothing")


async def test_every_header_arrives_once(calm_site: Site) -> None:
    def head(path: str) -> list[tuple[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", calm_site.nginx.port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        connection.close()
        assert response.status == 200, path
        return [(name.lower(), value) for name, value in response.getheaders()]

    page = await asyncio.to_thread(head, "/admin/login/")
    stream = await asyncio.to_thread(head, f"{START}?prompt={Plan('head').prompt}")
    for headers in (page, stream):
        names = [name for name, _ in headers if name != "set-cookie"]
        assert len(names) == len(set(names)), names
        assert dict(headers)["x-frame-options"] == "DENY"
        assert dict(headers)["x-content-type-options"] == "nosniff"
        assert dict(headers)["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in dict(headers)["permissions-policy"]
        assert dict(headers)["server"] == "nginx"
        assert "x-accel-buffering" not in names
    assert dict(stream)["cache-control"] == "no-store, no-transform"
    assert dict(stream)["content-type"] == "text/event-stream; charset=utf-8"


async def test_signs_of_life_keep_silent_connections_open(template: Path, tmp_path: Path) -> None:
    """nginx's timeout is 5 s here, longer than the two seconds between one process's heartbeats.

    The other process keeps its 15 s, so nginx cuts its connections.
    """
    if NGINX is None:
        skip_loudly(NO_NGINX)
    impatient = {"proxy_read_timeout 60s;": f"proxy_read_timeout {PATIENCE_SECONDS}s;"}
    environment = {"AI_MODEL": "scripted:live"}

    @contextmanager
    def site(app: str, folder: Path) -> Iterator[tuple[int, int]]:
        """Run a process behind an nginx, and give the ports of both."""
        database = Database(template, folder)
        with (
            running_many(1, database, app=app, environment=environment) as servers,
            running_nginx(folder / "nginx", [servers[0].port], changes=impatient) as nginx,
        ):
            yield servers[0].port, nginx.port

    async def is_kept(direct: int, behind_nginx: int) -> list[bool]:
        """Return whether an event stream and a socket lived for more than twice nginx's timeout."""
        # A process's first answers are slow: nginx must not count them.
        async with await Visitor(direct).ask("begin and wait") as first:
            await first.until_event("chunk")
        visitor = await Visitor.arrive(behind_nginx)
        async with await visitor.ask("begin and wait") as begun:
            await begun.until_event("chunk")
            stream_id = begun.events[0]["stream_id"]
        async with await visitor.watch(stream_id) as client, visitor.socket() as socket:
            return await asyncio.gather(_lives_on(client), _lives_on(socket))

    # Both run before anybody connects: to start one stops this loop, and a server waits ten
    # seconds for a request.
    with (
        site(IMPATIENT, tmp_path / "talks") as talking,
        site("liveai.asgi:application", tmp_path / "is-silent") as silent,
    ):
        kept = await asyncio.gather(is_kept(*talking), is_kept(*silent))
    assert kept == [[True, True], [False, False]]


async def _lives_on(line: SseClient | Socket) -> bool:
    clock = asyncio.get_running_loop().time
    until = clock() + 2 * PATIENCE_SECONDS + 1
    try:
        while clock() < until:
            async with asyncio.timeout(2 * PATIENCE_SECONDS):
                await (line.read() if isinstance(line, SseClient) else line.receive())
    except (ConnectionEnded, ConnectionClosed):
        return False
    return True


# --- files ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(calm_site: Site) -> NginxServer:
    """nginx with the collected static files, and one file named as by the pages' build."""
    nginx = calm_site.nginx
    with override_settings(STATIC_ROOT=nginx.static):
        call_command("collectstatic", interactive=False, verbosity=0)
    assets = nginx.static / "ai" / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "test-12345678.js").write_text("'über';")
    return nginx


async def test_files_come_from_nginx_and_hashed_ones_for_ever(files: NginxServer) -> None:
    async def fetch(path: str) -> SseClient:
        client = await SseClient.open(files.port, path)
        with_body = client.status == 200
        if with_body:
            await client.until(lambda c: c.has_ended)
        client.close()
        return client

    hashed = await fetch("/static/ai/assets/test-12345678.js")
    assert (hashed.status, hashed.body) == (200, "'über';".encode())
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["content-type"] == "application/javascript; charset=utf-8"
    usual = await fetch("/static/admin/css/base.css")
    for file in (hashed, usual):
        assert file.values("x-content-type-options") == ["nosniff"]
        assert file.values("cross-origin-resource-policy") == ["same-origin"]
    assert usual.status == 200 and b"body" in usual.body
    assert usual.headers["cache-control"] == "public, max-age=60"
    absent = await fetch("/static/ai/assets/absent-12345678.js")
    assert absent.status == 404
    assert "cache-control" not in absent.headers
    outside = await fetch("/static/../liveai.conf")
    assert outside.status in (400, 404)
