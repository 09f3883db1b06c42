"""The pages and their files over real HTTP, as a browser loads them, with DEBUG off."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import yaml

from tests.servers.conftest import on_both
from tests.support.servers.harness import Server
from tests.support.servers.sse_client import SseClient
from tests.support.servers.visitor import Visitor


class PageReader(HTMLParser):
    """Collects the files that a page loads, and its inline scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.files: list[str] = []
        self.nonces: list[str | None] = []  # of the inline scripts
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and (source := given.get("src")):
            self.scripts.append(source)
        elif tag == "script" and given.get("type") != "application/json":
            self.nonces.append(given.get("nonce"))
        elif tag in ("link", "img") and (source := given.get("href") or given.get("src")):
            self.files.append(source)
        assert not any(name.startswith("on") for name in given), f"a handler in the page: {given}"

    @property
    def all(self) -> list[str]:
        return self.scripts + self.files


async def get(server: Server, path: str, **headers: str) -> SseClient:
    """Return the complete response to a GET."""
    visitor = Visitor(server.port)
    client = await visitor.open(
        path,
        headers={"Connection": "close", **{n.replace("_", "-"): v for n, v in headers.items()}},
    )
    async with client:
        await client.until(lambda c: c.has_ended)
    return client


def policy_of(answer: SseClient) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("path", ["/", "/api/docs", "/admin/login/"])
async def test_a_page_and_all_that_it_loads_come_from_here_and_obey_its_policy(
    server: Server, path: str
) -> None:
    answer = await get(server, path, Accept="text/html")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = policy_of(answer)
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"] and policy["frame-ancestors"] == ["'none'"]
    assert "'unsafe-inline'" not in policy.get("script-src", policy["default-src"])
    page = PageReader(answer.body.decode())
    assert all(f"'nonce-{nonce}'" in policy["script-src"] for nonce in page.nonces)
    loaded = [source for source in page.all if not source.startswith("data:")]
    assert all(source.startswith("/") and source[1] != "/" for source in loaded), loaded
    for source in loaded:
        file = await get(server, source)
        assert file.status == 200 and file.body, source
        if source in page.scripts:
            assert "javascript" in file.headers["content-type"]


async def test_the_browsable_page_shows_the_schema_of_this_server(server: Server) -> None:
    page = PageReader((await get(server, "/api/docs")).body.decode())
    assert any("swagger-ui-bundle" in source for source in page.scripts)
    assert any("swagger-ui" in source for source in page.files)
    own = [source for source in page.scripts if source.startswith("/api/docs")]
    script = (await get(server, own[0])).body.decode()
    assert "/api/schema" in script


async def test_the_schema_names_every_call(server: Server) -> None:
    answer = await get(server, "/api/schema")
    assert answer.status == 200
    schema = yaml.safe_load(answer.body)
    assert schema["openapi"].startswith("3.")
    calls = {
        f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item
    }
    assert calls >= {
        "GET /api/config",
        "GET /api/blocks",
        "GET /api/stream/ai-block/{block_type}",
        "POST /api/stream/ai-block/{block_type}",
        "GET /api/streams",
        "GET /api/streams/{stream_id}",
        "DELETE /api/streams/{stream_id}",
        "GET /api/streams/{stream_id}/events",
        "POST /api/streams/{stream_id}/cancel",
        "POST /api/streams/cancel",
    }


@pytest.mark.parametrize("path", ["/", "/blocks/quiz", "/history", "/streams/of-nobody"])
async def test_each_address_of_the_pages_loads_what_was_built(server: Server, path: str) -> None:
    """`scripts/test` builds the pages; without a build the content differs."""
    answer = await get(server, path, Accept="text/html")
    assert answer.status == 200
    assert '<div id="app">' in answer.body.decode(), "not built: scripts/test does that first"
    assert any(
        source.startswith("/static/ai/assets/main-")
        for source in PageReader(answer.body.decode()).scripts
    )


async def test_no_browser_is_sent_after_an_icon_in_vain(server: Server) -> None:
    icons = PageReader((await get(server, "/")).body.decode()).files
    assert icons
    for icon in icons:
        assert icon.startswith("data:") or (await get(server, icon)).status == 200


STATIC_FILE = "/static/admin/css/base.css"


@on_both
async def test_a_static_file_that_has_not_changed_is_not_sent_again(server: Server) -> None:
    first = await get(server, STATIC_FILE)
    assert first.status == 200
    assert first.headers["content-type"].startswith("text/css")
    assert int(first.headers["content-length"]) == len(first.body) > 1000
    conditions = {"If_Modified_Since": first.headers["last-modified"]}
    if "etag" in first.headers:
        conditions = {"If_None_Match": first.headers["etag"]}
    again = await get(server, STATIC_FILE, **conditions)
    assert again.status == 304 and again.body == b""
    older = await get(server, STATIC_FILE, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")
    assert older.status == 200 and older.body == first.body


@on_both
async def test_a_range_of_a_static_file_is_sent_alone(server: Server) -> None:
    whole = await get(server, STATIC_FILE)
    part = await get(server, STATIC_FILE, Range="bytes=10-19")
    assert part.status == 206
    assert part.body == whole.body[10:20]


@pytest.mark.parametrize(
    "path", ["/static/nothing.css", "/static/../liveai/settings.py", "/static/%2e%2e/manage.py"]
)
@on_both
async def test_what_is_no_static_file_is_not_found(server: Server, path: str) -> None:
    answer = await get(server, path)
    assert answer.status == 404
    assert b"SECRET_KEY" not in answer.body and b"environ" not in answer.body
