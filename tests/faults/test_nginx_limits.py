"""nginx limits a client's cost, as `manage.py serve` does without nginx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import START
from tests.support.servers.wire import Answer, Wire, get, post

FEW_REQUESTS = {"rate=100r/s;": "rate=1r/m;", "burst=600 delay=25;": "burst=2 delay=2;"}
HURRIED = {
    "client_header_timeout 10s;": "client_header_timeout 1s;",
    "client_body_timeout 30s; ": "client_body_timeout 1s; ",
    "limit_conn liveai_addresses 500;": "limit_conn liveai_addresses 3;",
    "rate=2r/s;": "rate=1r/m;",
    "burst=60 nodelay;": "burst=2 nodelay;",
}


@pytest.fixture(scope="module")
def nginx(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxServer]:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    folder = tmp_path_factory.mktemp("limits")
    with (
        running("serve", Database(template, folder / "server")) as server,
        running_nginx(folder / "nginx", [server.port], changes=HURRIED) as started,
    ):
        yield started
        server.assert_unharmed()


async def talk(nginx: NginxServer, data: bytes) -> Answer | None:
    """Return the answer; None if the connection was closed silently."""
    async with await Wire.open(nginx.port) as wire:
        wire.send(data)
        try:
            received = await wire.rest()
        except ConnectionResetError:
            return None
    return Answer.parse(received) if received else None


async def test_a_head_of_nearly_64_kib_gets_through_and_a_larger_one_does_not(
    nginx: NginxServer,
) -> None:
    lines = ["X: " + "a" * 30_000, "Connection: close"]
    answer = await talk(nginx, get("/api/config?x=" + "a" * 30_000, *lines))
    # The request reached the application, which validates its content.
    assert answer is not None and answer.headers["content-type"] == "application/problem+json"
    for larger in (get("/" + "a" * 40_000), get("/", "X: " + "a" * 30_000, *lines, *lines)):
        refused = await talk(nginx, larger)
        assert refused is None or refused.status in (400, 414, 431)


@pytest.mark.parametrize(
    "half", [b"", b"GET / HTTP/1.1\r\n", post(START, "Content-Length: 1000", body=b"{")]
)
async def test_half_a_request_is_ended(nginx: NginxServer, half: bytes) -> None:
    answer = await talk(nginx, half)
    assert answer is None or answer.status == 408


async def test_one_address_has_so_many_requests_under_way(nginx: NginxServer) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3):
            wire = await stack.enter_async_context(await Wire.open(nginx.port))
            wire.send(get(f"{START}?prompt=speak+for+ever"))
            await wire.until(b"event: start")
        refused = await talk(nginx, get("/api/config", "Connection: close"))
        assert refused is not None and refused.status == 429


async def test_one_address_sends_so_many_requests_and_any_number_for_files(
    template: Path, tmp_path: Path
) -> None:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    with (
        running("serve", Database(template, tmp_path / "server")) as server,
        running_nginx(tmp_path / "nginx", [server.port], changes=FEW_REQUESTS) as nginx,
    ):
        asked = get("/api/config", "Connection: close")
        answers = [await talk(nginx, asked) for _ in range(4)]
        assert [answer and answer.status for answer in answers] == [200, 200, 200, 429]
        page = await talk(nginx, get("/account/login/", "Connection: close"))
        assert page is not None and page.status == 429
        file = await talk(nginx, get("/static/nothing.css", "Connection: close"))
        assert file is not None and file.status == 404


@pytest.mark.parametrize("path", ["/account/login/", "/admin/login/"])
async def test_one_address_sends_so_many_forms_and_gets_a_page_that_says_so(
    nginx: NginxServer, path: str
) -> None:
    answers = [await talk(nginx, post(path, "Connection: close", body=b"x=1")) for _ in range(4)]
    refused = answers[-1]
    assert refused is not None and refused.status == 429
    assert refused.headers["retry-after"] == "30"
    assert b"Try again in half a minute." in refused.body
    page = await talk(nginx, get(path, "Connection: close"))
    assert page is not None and page.status == 200
    other = await talk(nginx, post("/api/streams/cancel", "Connection: close", body=b"{}"))
    assert other is not None and other.status != 429
