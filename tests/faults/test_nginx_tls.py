"""The deployed nginx with TLS, set up as in `docs/operate/install.md`, before a real process."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.faults.certificate import make_certificate
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import START, Socket


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module", params=["127.0.0.1,::1", "10.1.2.3,192.168.0.0/16"])
def trusted(request: pytest.FixtureRequest) -> str:
    """The proxies that the process behind nginx trusts, with and without nginx's address."""
    return str(request.param)


@pytest.fixture(scope="module")
def nginx(
    trusted: str,
    certificate: tuple[Path, Path],
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NginxServer]:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    folder = tmp_path_factory.mktemp("tls")
    database = Database(template, folder / "server")
    environment = {"DJANGO_TRUSTED_PROXIES": trusted}
    with (
        running("serve", database, environment=environment) as server,
        running_nginx(folder / "nginx", [server.port], tls=certificate) as nginx,
    ):
        yield nginx
        server.assert_unharmed()


@pytest.fixture
def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


async def test_origins_are_those_of_https_where_the_proxy_is_trusted(
    nginx: NginxServer, trusted: str, context: ssl.SSLContext
) -> None:
    site = f"https://127.0.0.1:{nginx.port}"
    foreign = f"http://127.0.0.1:{nginx.port}"
    own, other = (site, foreign) if "127.0.0.1" in trusted else (foreign, site)
    async with httpx.AsyncClient(verify=context, base_url=site, timeout=30) as client:
        assert (await client.get("/api/config")).status_code == 200
        token = {"X-CSRFToken": client.cookies["csrftoken"], "Accept": "application/json"}

        async def start(origin: str) -> int:
            headers = {**token, "Origin": origin}
            answer = await client.post(START, json={"prompt": "Why?"}, headers=headers)
            return answer.status_code

        assert [await start(own), await start(other)] == [201, 403]

        async def start_by_get(origin: str) -> int:
            answer = await client.get(START, params={"prompt": "Why?"}, headers={"Origin": origin})
            return answer.status_code

        assert [await start_by_get(own), await start_by_get(other)] == [200, 403]
        cookie = f"sessionid={client.cookies['sessionid']}"

    async def ask_by_socket(origin: str) -> str:
        address = f"wss://127.0.0.1:{nginx.port}/ws/stream?follow=none"
        headers = {"Cookie": cookie, "Origin": origin}
        async with connect(address, ssl=context, additional_headers=headers) as connection:
            line = await Socket.greeted(connection)
            stream_id = await line.start("Why is the sky blue?")
            end = await line.until_end(stream_id)
            return str(end["type"])

    assert await ask_by_socket(own) == "complete"
    with pytest.raises(InvalidStatus, match="403"):
        await ask_by_socket(other)


async def test_browsers_get_http2(nginx: NginxServer, context: ssl.SSLContext) -> None:
    def choose() -> str | None:
        context.set_alpn_protocols(["h2", "http/1.1"])
        line = socket.create_connection(("127.0.0.1", nginx.port), 30)
        with context.wrap_socket(line, server_hostname="127.0.0.1") as tls:
            return tls.selected_alpn_protocol()

    assert await asyncio.to_thread(choose) == "h2"


async def test_plain_http_is_sent_on(nginx: NginxServer) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"http://127.0.0.1:{nginx.plain_port}/history/?q=x")
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://127.0.0.1/history/?q=x"
