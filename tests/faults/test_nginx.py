"""The whole deployment: nginx with the file of `deploy/`, two real processes, a real Redis."""

from __future__ import annotations

import asyncio
import http.client
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from websockets.exceptions import ConnectionClosed

from tests.support.faults.client import Service
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.faults.plan import Plan
from tests.support.faults.redis_server import running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.servers.harness import Database, Server, eventually, make_template, running_many
from tests.support.servers.sse_client import ConnectionEnded, SseClient
from tests.support.servers.visitor import Held, Socket, Visitor

IMPATIENT = "tests.support.servers.asgi_impatient:application"  # a heartbeat every 0.5 s
START = "/api/stream/ai-block/ask-question"
DRAIN_SECONDS = 4.0
PATIENCE_SECONDS = 5
SEED = 20


@dataclass
class Site:
    servers: list[Server]
    nginx: NginxServer
    upstream: UpstreamServer

    def server_at(self, port: int) -> Server:
        return next(server for server in self.servers if server.port == port)


@contextmanager
def running_site(template: Path, folder: Path, *, is_quick: bool = False) -> Iterator[Site]:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        environment = {
            **upstream.environment,
            "REDIS_URL": redis.url,
            "AI_CAN_CONTINUE": "true",
            "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        database = Database(template, folder / "servers")
        with (
            running_many(2, database, environment=environment, is_quick=is_quick) as servers,
            running_nginx(folder / "nginx", [server.port for server in servers]) as nginx,
        ):
            yield Site(servers, nginx, upstream)
            print(f"--- what nginx said ---\n{nginx.error_log}\n{nginx.access_log}")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "db.sqlite3"
    make_template(path)
    return path


@pytest.fixture(scope="module")
def calm_site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site that all tests without faults share."""
    with running_site(template, tmp_path_factory.mktemp("calm")) as site:
        yield site
        for server in site.servers:
            server.assert_unharmed()


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Iterator[Site]:
    with running_site(template, tmp_path) as site:
        yield site


@pytest.fixture
def quick_site(template: Path, tmp_path: Path) -> Iterator[Site]:
    """Its processes have a quick clock."""
    with running_site(template, tmp_path, is_quick=True) as site:
        yield site


@asynccontextmanager
async def held_stream(
    site: Site, key: str, **more: int
) -> AsyncIterator[tuple[Visitor, SseClient]]:
    """Start a stream whose first token has arrived, and which then waits for its release."""
    visitor = await Visitor.arrive(site.nginx.port)
    plan = Plan(key, tokens=30, hold=1, after=1, **more)
    async with await visitor.ask(plan.prompt) as client:
        await client.until_event("chunk")
        yield visitor, client


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

    async def is_kept(app: str, folder: Path) -> list[bool]:
        """Return whether an event stream and a socket lived for more than twice nginx's timeout."""
        database = Database(template, folder)
        with (
            running_many(1, database, app=app, environment=environment) as servers,
            running_nginx(folder / "nginx", [servers[0].port], changes=impatient) as nginx,
        ):
            visitor = await Visitor.arrive(nginx.port)
            async with await visitor.ask("begin and wait") as begun:
                await begun.until_event("chunk")
                stream_id = begun.events[0]["stream_id"]
            async with await visitor.watch(stream_id) as client, visitor.socket() as socket:
                return await asyncio.gather(_lives_on(client), _lives_on(socket))

    kept = await asyncio.gather(
        is_kept(IMPATIENT, tmp_path / "talks"),
        is_kept("liveai.asgi:application", tmp_path / "is-silent"),
    )
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


# --- processes come and go ------------------------------------------------------------


async def test_with_a_process_killed_all_is_seen_exactly_once(
    quick_site: Site, tmp_path: Path
) -> None:
    site = quick_site
    service = await Service.arrive([site.nginx.port])
    plans = [Plan(f"kill-{number}", tokens=100, every_ms=40, seed=number) for number in range(12)]
    started: set[str] = set()
    driving = asyncio.create_task(
        drive(
            service,
            plans,
            seed=SEED,
            drops=1,
            within_bytes=2_000,
            on_start=lambda plan, stream_id: started.add(stream_id),
        )
    )
    await eventually(lambda: len(started) == len(plans) or driving.done())
    site.servers[0].kill()
    histories = await driving
    for history in histories:
        history.recoveries = 1
    await add_truth(service, histories, site.upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    ends = [history.row["status"] for history in histories if history.row is not None]
    assert ends == ["complete"] * len(plans)
    # The stop did affect them: it cut some, and the killed process generated some.
    reasons = {c.ended_by for h in histories for v in h.viewings for c in v.connections}
    assert "lost" in reasons or "closed" in reasons
    assert any(history.calls == 2 for history in histories)
    site.servers[1].assert_unharmed()


async def test_a_process_that_stops_is_noticed_by_nobody(site: Site) -> None:
    """Starts go to the other process at once, and viewers when told to reconnect.

    An answer that outlasts the drain continues there.
    """
    stopping, other = site.servers
    visitor = await Visitor.arrive(site.nginx.port)
    at_stopping = Visitor(stopping.port)
    at_stopping.cookies = visitor.cookies
    as_json = {"Accept": "application/json"}
    plan = Plan("stays", tokens=30, hold=1, after=1)
    status, snapshot = await at_stopping.call("POST", START, {"prompt": plan.prompt}, as_json)
    assert status == 201
    stream_id = snapshot["stream_id"]
    # Each view goes to the process with fewer connections, so each process gets one.
    views = [await visitor.watch(stream_id), await visitor.watch(stream_id)]
    for view in views:
        await view.until_event("chunk")

    stopping.signal(signal.SIGTERM)
    exit_code = asyncio.create_task(asyncio.to_thread(stopping.wait, 60))
    unlucky = 0
    while not exit_code.done():
        start = {"prompt": Plan("meanwhile", tokens=3).prompt, "request_id": str(uuid.uuid4())}
        async with await visitor.open(START, method="POST", data=start, headers=as_json) as answer:
            status = answer.status
        if status == 502:
            # The POST was already sent when the process closed its listener: nginx does not repeat
            # a POST. A client may: its request_id makes both the same start.
            unlucky += 1
            status, _ = await visitor.call("POST", START, start, as_json)
        assert status == 201
        status, history = await visitor.call("GET", "/api/streams?limit=1")
        assert (status, len(history["results"])) == (200, 1)
    assert unlucky <= 1
    assert await exit_code == 0

    site.upstream.release("stays")
    heard = await asyncio.gather(*(view.until_end(timeout_seconds=30) for view in views))
    assert sorted(events[-1]["type"] for events in heard) == ["complete", "reconnect"]
    for view in views:
        held = Held().take_all(view.events)
        if held.terminal is None:
            async with await visitor.watch(stream_id, held.cursor) as again:
                held.take_all(await again.until_end(timeout_seconds=30))
        assert held.terminal is not None and held.terminal["type"] == "complete"
        assert held.text == plan.text
        view.close()
    # The process did refuse starts, and the other one accepted them.
    lines = site.nginx.access_log.splitlines()
    starts = [line for line in lines if f" POST {START} 201 " in line]
    refused = f'upstream="127.0.0.1:{stopping.port}'
    assert any(refused in line and " 503 :" in line for line in starts)
    stopping.assert_nothing_broke()
    other.assert_unharmed()


async def test_nginx_itself_dies_and_answers_go_on(calm_site: Site, tmp_path: Path) -> None:
    plans = [Plan(f"nginx-{n}", tokens=60, every_ms=20, hold=1, after=20, seed=n) for n in range(8)]
    upstream = calm_site.upstream
    started: set[str] = set()
    with running_nginx(tmp_path / "nginx", [server.port for server in calm_site.servers]) as nginx:
        service = await Service.arrive([nginx.port])
        driving = asyncio.create_task(
            drive(service, plans, seed=SEED, drops=0, on_start=lambda _, id: started.add(id))
        )
        await eventually(lambda: len(started) == len(plans) or driving.done())
        await asyncio.to_thread(nginx.kill)
        for plan in plans:
            upstream.release(plan.key)
        await eventually(lambda: all(upstream.stats_of(plan.key).finished for plan in plans))
        await asyncio.to_thread(nginx.start)
        histories = await driving
        await add_truth(service, histories, upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    for history in histories:
        assert history.row is not None and history.row["status"] == "complete"
        assert history.calls == 1
        ways = [connection.ended_by for connection in history.viewings[0].connections]
        assert ways[-1] == "terminal" and "refused" in ways


async def test_who_waits_for_a_whole_answer_waits_on_in_the_other_process(site: Site) -> None:
    """The stopping process refuses the request, and nginx retries it at the other.

    The `request_id` makes it the same answer.
    """
    visitor = await Visitor.arrive(site.nginx.port)
    plan = Plan("awaited", tokens=30, hold=1, after=1)
    question = {"prompt": plan.prompt, "request_id": str(uuid.uuid4())}
    waiting = asyncio.ensure_future(visitor.call("POST", f"{START}?wait=1", question))
    await eventually(lambda: site.upstream.stats_of(plan.key).calls == 1)
    (stopping,) = (server for server in site.servers if site.upstream.port in _ports_of(server))
    stopping.signal(signal.SIGTERM)
    assert await asyncio.to_thread(stopping.wait, 60) == 0
    site.upstream.release(plan.key)
    status, stream = await waiting
    assert (status, stream["status"], stream["text"]) == (200, "complete", plan.text)
    _, history = await visitor.call("GET", "/api/streams")
    assert [one["stream_id"] for one in history["results"]] == [stream["stream_id"]]
    stopping.assert_nothing_broke()


def _ports_of(server: Server) -> set[int]:
    """Return the ports that a process is connected to."""
    return {one.raddr.port for one in server.process.net_connections() if one.raddr}


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
    assert hashed.headers["x-content-type-options"] == "nosniff"
    usual = await fetch("/static/admin/css/base.css")
    assert usual.status == 200 and b"body" in usual.body
    assert usual.headers["cache-control"] == "public, max-age=60"
    absent = await fetch("/static/ai/assets/absent-12345678.js")
    assert absent.status == 404
    assert "cache-control" not in absent.headers
    outside = await fetch("/static/../liveai.conf")
    assert outside.status in (400, 404)
