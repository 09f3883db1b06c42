"""The site under a path, behind the nginx of `deploy/`, which passes the path on or removes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from websockets.asyncio.client import connect

from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX
from tests.support.faults.path_site import PathSite, running_under_a_path
from tests.support.servers.visitor import START, Socket


@pytest.fixture(scope="module", params=["passed on", "removed"])
def site(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PathSite]:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    folder = tmp_path_factory.mktemp("path")
    with running_under_a_path(folder, template, is_removed=request.param == "removed") as site:
        yield site
        site.server.assert_unharmed()


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/ai/", 200, None),
        ("/ai/history", 200, None),
        ("/ai/blocks/quiz", 200, None),
        ("/ai/licenses", 200, None),
        ("/ai/healthz", 200, None),
        ("/ai/readyz", 200, None),
        ("/ai/api/blocks", 200, None),
        ("/ai/api/docs", 200, None),
        ("/ai/static/admin/css/base.css", 200, None),
        ("/ai/api/nothing", 404, None),
        ("/ai/nothing", 404, None),
        ("/ai/admin", 301, "/ai/admin/"),
        ("/ai/admin/", 302, "/ai/admin/login/?next=/ai/admin/"),
    ],
)
async def test_each_address_is_found_below_the_path(
    site: PathSite, path: str, status: int, location: str | None
) -> None:
    async with httpx.AsyncClient(base_url=site.origin, timeout=30) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers.get("location")) == (status, location)


async def test_the_path_without_its_slash_leads_to_the_site(site: PathSite) -> None:
    async with httpx.AsyncClient(base_url=site.origin, timeout=30) as client:
        answer = await client.get("/ai?x=1", follow_redirects=True)
    assert answer.status_code == 200 and answer.url.path == "/ai/"


async def test_the_calls_are_described_with_the_path(site: PathSite) -> None:
    async with httpx.AsyncClient(base_url=site.origin, timeout=30) as client:
        schema = yaml.safe_load((await client.get("/ai/api/schema")).text)
        docs = (await client.get("/ai/api/docs")).text
    assert schema["servers"] == [{"url": "/ai"}]
    assert schema["externalDocs"]["url"] == "/ai/licenses"
    assert all(path.startswith("/api/") for path in schema["paths"])
    assert "/ai/api/" in docs and '"/api/' not in docs and '"/static/' not in docs


async def test_cookies_stay_below_the_path_and_those_of_the_host_do_no_harm(
    site: PathSite,
) -> None:
    # The host's own site is made with Django too. Browsers send the longer path first.
    foreign = {"sessionid": "of-the-host", "csrftoken": "x" * 32}
    async with httpx.AsyncClient(base_url=site.origin, timeout=30) as client:
        given = await client.get("/ai/api/config")
        paths = {cookie.name: cookie.path for cookie in client.cookies.jar}
        assert paths == {"sessionid": "/ai", "csrftoken": "/ai"}
        own = {cookie.name: str(cookie.value) for cookie in client.cookies.jar}
    assert given.status_code == 200
    both = "; ".join(f"{name}={value}" for name, value in [*own.items(), *foreign.items()])
    headers = {"Cookie": both, "X-CSRFToken": own["csrftoken"], "Origin": site.origin}
    async with httpx.AsyncClient(base_url=site.origin, timeout=30) as client:
        started = await client.post(
            f"/ai{START}?wait=1",
            json={"prompt": "Why?"},
            headers={**headers, "Accept": "application/json"},
        )
        assert started.status_code == 200, started.text
        streams = (await client.get("/ai/api/streams", headers={"Cookie": both})).json()
    assert [row["stream_id"] for row in streams["results"]] == [started.json()["stream_id"]]


async def test_an_answer_streams_over_sse_and_over_a_socket(site: PathSite) -> None:
    async with (
        httpx.AsyncClient(base_url=site.origin, timeout=30) as client,
        client.stream("GET", f"/ai{START}", params={"prompt": "Why?"}) as answer,
    ):
        lines = [line async for line in answer.aiter_lines()]
    assert answer.headers["content-encoding"] == "identity"
    assert "event: complete" in lines
    address = site.origin.replace("http", "ws") + "/ai/ws/stream?follow=none"
    async with connect(address, additional_headers={"Origin": site.origin}) as connection:
        socket = await Socket.greeted(connection)
        end = await socket.until_end(await socket.start("Why?"))
    assert end["type"] == "complete"
