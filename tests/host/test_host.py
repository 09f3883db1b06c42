"""The wheel in a Django project that exists, with the documented lines, under plain uvicorn."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import expect
from websockets.asyncio.client import connect

from tests.host.conftest import (
    LINES_AT_MOST,
    MIGRATE,
    START_SECONDS,
    TEMPLATE,
    Host,
    documented_lines,
)
from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import POSTGRES_BINARIES, running_postgres
from tests.support.guides.browser import STEP_MS, at_a_browser
from tests.support.servers.harness import BUSY_SECONDS, eventually
from tests.support.servers.visitor import Held, Visitor

LISTENING = re.compile(r"(?:Uvicorn running|Listening) on http://127\.0\.0\.1:(\d+)")
UVICORN = ("-m", "uvicorn", "mysite.asgi:application", "--port", "0")
SERVE = ("manage.py", "serve", "--app", "mysite.asgi:application", "--port", "0")
DRAIN_SECONDS = 1.0
ASK = """
from django.contrib.auth import get_user_model
from liveai import api
ada, _ = get_user_model().objects.get_or_create(
    username="ada", defaults={"is_staff": True, "is_superuser": True}
)
document = api.start("quiz", "The Sun", user=ada).wait()
call_command("ask", "ask-question", "speak briefly", user="ada")
print(document["status"], len(document["result"]["questions"]))
"""

MAKE_TOKEN = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()
from django.contrib.auth import get_user_model
from liveai.api_tokens.making import make_token
ada = get_user_model().objects.get(username="ada")
print(make_token(ada.pk, name="page", scope="ask", days=1)[1])
"""


class Serving:
    """A server with the host's application."""

    def __init__(self, host: Host, arguments: tuple[str, ...]) -> None:
        self.log = host.folder / f"{arguments[1]}.log"
        command = [sys.executable, *arguments]
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                command, cwd=host.folder, env=host.environment, stdout=log, stderr=log
            )
        self.port = 0
        deadline = time.monotonic() + START_SECONDS
        while not (found := LISTENING.search(self.log.read_text())):
            assert self.popen.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        self.port = int(found[1])

    def end(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    async def ada(self) -> Visitor:
        """Sign the host's user in, as the host does it."""
        visitor = Visitor(self.port)
        async with await visitor.open("/enter", headers={"Connection": "close"}) as client:
            await client.until(lambda c: c.has_ended)
            assert client.status == 200, self.log.read_text()
        status, config = await visitor.call("GET", "/api/config")
        assert status == 200 and config["user"] == {"username": "ada"}
        return visitor

    async def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        more = {"Connection": "close", **headers}
        async with await Visitor(self.port).open(path, headers=more) as client:
            await client.until(lambda c: c.has_ended)
            return client.status, client.body


@pytest.fixture(scope="module")
def server(host: Host) -> Iterator[Serving]:
    started = Serving(host, UVICORN)
    yield started
    started.end()


def test_ten_lines_are_added_at_most() -> None:
    added = documented_lines()
    assert set(added) == {"mysite/settings.py", "mysite/urls.py", "mysite/asgi.py", TEMPLATE}
    assert sum(map(len, added.values())) <= LINES_AT_MOST


def test_the_checks_are_clean_nothing_is_left_to_migrate_and_a_command_may_ask(host: Host) -> None:
    ended = host.run("-c", _checked("call_command('makemigrations', '--check', '--dry-run')" + ASK))
    assert ended.stdout.split()[-2:] == ["complete", "3"]
    assert ended.stdout.count("tick") == 20


def test_a_wrong_name_and_wsgi_alone_are_reported(host: Host) -> None:
    change = "settings.LIVEAI['AI_MODLE'] = 'x'; settings.ASGI_APPLICATION = None"
    ends = host.run("-c", _checked(change=change), check=False).stderr
    assert "liveai.E010" in ends and "Did you mean AI_MODEL?" in ends
    assert "liveai.W010" in ends


def test_a_value_of_the_wrong_type_stops_the_start(host: Host) -> None:
    ends = host.run(
        "-c", _checked(change="settings.LIVEAI['STREAM_MAX_RUNNING'] = '9'"), check=False
    ).stderr
    assert "ImproperlyConfigured: LIVEAI['STREAM_MAX_RUNNING'] is no int" in ends


def test_a_module_that_hides_ours_is_named(host: Host) -> None:
    hiding = host.folder / "streaming.py"
    hiding.write_text("")
    try:
        ends = host.run("manage.py", "check", check=False).stderr
    finally:
        hiding.unlink()
    assert f"The module “streaming” is {hiding}, which hides the package" in ends


async def test_the_hosts_own_addresses_work_as_before(server: Serving) -> None:
    status, page = await server.get("/en/page")
    assert status == 200 and b"The host's page" in page
    status, note = await server.get("/api/notes/1?format=api", Accept="text/html")
    assert status == 200 and b"<h1>Notes</h1>" in note  # the host's renderer
    assert (await server.get("/api/notes/2", Accept="text/html"))[0] == 418  # its error handler
    async with connect(f"ws://127.0.0.1:{server.port}/ws/echo") as socket:
        await socket.send("hello")
        assert await socket.recv() == "host: hello"


@pytest.mark.parametrize(
    "path", ["/nothing", "/api", "/api/nothing", "/api/notes/x", "/v1/x", "/streams/x"]
)
async def test_an_unknown_address_is_the_hosts_404(server: Serving, path: str) -> None:
    status, page = await server.get(path)
    assert status == 404 and b"mysite.urls" in page  # Django's page, which names the URLconf


async def test_our_errors_are_ours_and_the_signed_out_may_not_ask(server: Serving) -> None:
    status, problem = await Visitor(server.port).call("GET", "/api/streams")
    assert (status, problem["code"]) == (401, "not_authenticated")
    ada = await server.ada()
    status, problem = await ada.call("GET", "/api/streams/nothing")
    assert (status, problem["code"]) == (404, "not_found")
    large = {"prompt": "x" * 1_100_000}
    status, problem = await ada.call("POST", "/api/stream/ai-block/ask-question", large)
    assert (status, problem["code"]) == (413, "prompt_too_long")
    status, problem = await ada.call("POST", "/v1/chat/completions", large)
    assert (status, problem["error"]["code"]) == (413, "prompt_too_long")


async def test_a_block_answers_over_sse_and_a_lost_line_goes_on(server: Serving) -> None:
    ada, held = await server.ada(), Held()
    async with await ada.ask("speak for a second") as client:
        await client.until(lambda c: len(c.events) > 5)
        held.take_all(client.events)
        client.reset()
    assert held.terminal is None
    async with await ada.watch(client.events[0]["stream_id"], held.cursor) as client:
        held.take_all(await client.until_end())
    assert held.terminal is not None and held.terminal["type"] == "complete"
    status, history = await ada.call("GET", "/api/streams")
    assert status == 200 and history["results"][0]["text"] == held.text


async def test_a_page_of_a_listed_origin_and_openais_clients_ask_with_a_token(
    host: Host, server: Serving
) -> None:
    await server.ada()
    token = host.run("-c", MAKE_TOKEN).stdout.strip()
    page = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    path, visitor = "/api/stream/ai-block/ask-question", Visitor(server.port)
    async with await visitor.open(path, method="OPTIONS", headers=page | wanted) as preflight:
        assert preflight.status == 200
        assert preflight.headers["access-control-allow-origin"] == page["Origin"]
        allowed = preflight.headers["access-control-allow-headers"]
        assert {"authorization", "content-type", "last-event-id"} <= set(allowed.split(", "))
    own = page | {"Authorization": f"Bearer {token}"}
    asked = {"prompt": "speak briefly"}
    async with await visitor.open(path, method="POST", headers=own, data=asked) as client:
        assert (await client.until_end())[-1]["type"] == "complete"
        assert client.headers["access-control-allow-origin"] == page["Origin"]
    chat = {"model": "ask-question", "messages": [{"role": "user", "content": "speak briefly"}]}
    status, answer = await visitor.call("POST", "/v1/chat/completions", chat, headers=own)
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "tick " * 20)
    async with await visitor.open("/en/page", headers=page | {"Connection": "close"}) as other:
        assert "access-control-allow-origin" not in other.headers


async def test_a_block_answers_over_the_websocket(server: Serving) -> None:
    ada = await server.ada()
    async with ada.socket() as socket:
        stream_id = await socket.start("The Sun", "quiz")
        end = await socket.until_end(stream_id)
    assert end["type"] == "complete" and len(end["result"]["questions"]) == 3


def test_the_tag_shows_a_block_that_answers_under_a_strict_policy(server: Serving) -> None:
    with at_a_browser(f"http://127.0.0.1:{server.port}") as person:
        person.page.goto(f"{person.url}/enter")
        person.page.goto(f"{person.url}/en/page")
        block = person.page.locator(".ai-block")
        expect(block.get_by_role("radio")).to_have_count(12, timeout=STEP_MS)
        expect(block).to_contain_text("The Moon")
        # It has its own colours, and leaves the page's alone.
        ink = "each => getComputedStyle(each).getPropertyValue('--ink')"
        assert block.evaluate(ink) == "#0f2230"
        root = person.page.locator(":root")
        assert root.evaluate(ink) == ""
        assert root.evaluate("each => getComputedStyle(each).colorScheme") == "normal"


async def test_the_hosts_admin_has_our_pages(server: Serving) -> None:
    ada = await server.ada()
    async with await ada.ask("speak briefly") as client:
        stream_id = (await client.until_end())[0]["stream_id"]
    for path in (
        "/admin/",
        "/admin/blocks/blocktype/",
        "/admin/blocks/blocktype/add/",
        "/admin/blocks/blocktype/1/change/",
        "/admin/streaming/stream/",
        f"/admin/streaming/stream/{stream_id}/change/",
        "/admin/streaming/limit/",
        "/admin/streaming/streamingsettings/",
        "/admin/api_tokens/apitoken/",
    ):
        async with await ada.open(path, headers={"Connection": "close"}) as page:
            await page.until(lambda c: c.has_ended)
            assert page.status in (200, 302), (path, page.status, server.log.read_text()[-2000:])


async def test_the_probes_are_there(server: Serving) -> None:
    assert json.loads((await server.get("/healthz"))[1])["status"] == "ok"
    assert json.loads((await server.get("/readyz"))[1])["checks"]["database"] == "ok"


async def test_our_own_server_serves_the_host_too_on_postgresql(host: Host) -> None:
    if not POSTGRES_BINARIES:
        skip_loudly("no PostgreSQL on this machine. On Debian: apt install postgresql")
    with running_postgres() as postgres:
        there = replace(host, more={"HOST_POSTGRES": str(postgres.port)})
        there.run("-c", MIGRATE)
        own = Serving(there, SERVE)
        try:
            status, page = await own.get("/en/page")
            assert status == 200 and b"The host's page" in page
            await stop_with_open_lines(own)
        finally:
            own.end()


async def test_a_stop_ends_open_lines_after_the_drain(server: Serving) -> None:
    """The last test: it ends the server. Plain uvicorn would wait for the line for ever."""
    await stop_with_open_lines(server)
    assert "GET /api/stream/ai-block/ask-question HTTP" in server.log.read_text()
    assert "Application shutdown complete" in server.log.read_text()


async def stop_with_open_lines(server: Serving) -> None:
    ada = await server.ada()
    async with await ada.ask("speak for ever") as client, ada.socket() as socket:
        await client.until(lambda c: len(c.events) > 5)
        server.popen.send_signal(signal.SIGTERM)
        await client.until(lambda c: c.has_ended)
        assert client.events[-1]["type"] == "reconnect"
        await socket.until_closed()
    limit = DRAIN_SECONDS + 2 * BUSY_SECONDS
    await eventually(lambda: server.popen.poll() is not None, timeout_seconds=limit)
    written = server.log.read_text()
    assert "Traceback" not in written
    assert "speak" not in written  # a prompt, which the address of a start has


def _checked(more: str = "", *, change: str = "") -> str:
    """Return a program that changes a setting of the project, checks it, and does more."""
    return (
        "import django, mysite.settings as settings, os\n"
        f"{change}\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('check', fail_level='WARNING')\n"
        f"{more}\n"
    )
