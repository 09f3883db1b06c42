"""Behind a proxy that ends TLS and names the default port in `Host`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.servers.harness import Database, Server, running
from tests.support.servers.visitor import START, Visitor

OWN = "https://site.test"
PORT_NAMED = "HTTPS://Site.Test:443"  # by a client that is no browser
CHAINS = ["https", "https,http", "HTTPS", "https\r\nX-Forwarded-Proto: http"]
HOSTS = ["site.test", "site.test:443", "Site.Test:443", "site.test:80"]


@pytest.fixture(scope="module")
def server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = Database(template, tmp_path_factory.mktemp("host"))
    environment = {"DJANGO_ALLOWED_HOSTS": "site.test 127.0.0.1"}
    with running("serve", database, environment=environment) as server:
        yield server
        server.assert_unharmed()


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def _status(
    server: Server,
    line: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    scheme: str = "https",
) -> int:
    """Send a request as the proxy does, and return the status of its response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [line, *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, f"X-Forwarded-Proto: {scheme}", "", ""]).encode() + body)
    async with asyncio.timeout(30):
        first = await reader.readline()
    writer.close()
    return int(first.split()[1])


@pytest.mark.parametrize(
    ("origin", "status"), [(OWN, 201), (PORT_NAMED, 201), ("https://other.test", 403)]
)
async def test_a_post_with_a_cookie_is_from_this_site_or_another(
    server: Server, host: str, origin: str, status: int
) -> None:
    visitor = await Visitor.arrive(server.port)
    body = json.dumps({"prompt": "Why?"}).encode()
    headers = visitor.headers | {
        "Host": host,
        "Origin": origin,
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    assert await _status(server, f"POST {START} HTTP/1.1", headers, body) == status


@pytest.mark.parametrize(("origin", "status"), [(OWN, 200), ("https://other.test", 403)])
async def test_a_get_that_starts_a_stream_is_from_this_site_or_another(
    server: Server, host: str, origin: str, status: int
) -> None:
    visitor = await Visitor.arrive(server.port)
    for header in ("Origin", "Referer"):
        headers = {"Host": host, header: origin, "Cookie": visitor.headers["Cookie"]}
        assert await _status(server, f"GET {START}?prompt=Why HTTP/1.1", headers) == status


@pytest.mark.parametrize(
    ("origin", "status"), [(OWN, 101), (PORT_NAMED, 101), ("https://other.test", 403)]
)
async def test_a_socket_is_from_this_site_or_another(
    server: Server, host: str, origin: str, status: int
) -> None:
    visitor = await Visitor.arrive(server.port)
    headers = {
        "Host": host,
        "Origin": origin,
        "Cookie": visitor.headers["Cookie"],
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert await _status(server, "GET /ws/stream HTTP/1.1", headers) == status


@pytest.mark.parametrize("scheme", CHAINS)
async def test_a_chain_of_proxies_may_name_a_scheme_each(server: Server, scheme: str) -> None:
    visitor = await Visitor.arrive(server.port)
    headers = {"Host": "site.test", "Origin": OWN, "Cookie": visitor.headers["Cookie"]}
    line = f"GET {START}?prompt=Why HTTP/1.1"
    assert await _status(server, line, headers, scheme=scheme) == 200
    assert await _status(server, line, headers, scheme="http,https") == 403
