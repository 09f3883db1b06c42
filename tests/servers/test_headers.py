"""Every answer tells browsers what they may do with it, whichever layer gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.harness import Server, running
from tests.support.servers.sse_client import SseClient
from tests.support.servers.tokens import Database, Program, add_token
from tests.support.servers.visitor import START, Visitor

LISTED = "https://app.example"
DOCUMENT = {
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


@pytest.fixture(scope="module")
def database(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(template, tmp_path_factory.mktemp("headers"))


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[Server]:
    with running("serve", database, environment={"CORS_ALLOWED_ORIGINS": LISTED}) as started:
        yield started
        started.assert_unharmed()


def assert_once(client: SseClient, expected: dict[str, str]) -> None:
    for name, value in expected.items():
        assert client.values(name) == [value], name


def assert_is_safe(client: SseClient) -> None:
    """Check the headers of every answer, each sent once."""
    assert_once(
        client,
        {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"},
    )


def assert_grants_nothing(client: SseClient) -> None:
    (policy,) = client.values("permissions-policy")
    granted = dict(part.strip().split("=") for part in policy.split(","))
    assert set(granted.values()) == {"()"}
    assert {"camera", "microphone", "geolocation", "payment", "usb"} <= set(granted)
    assert not {"clipboard-write", "fullscreen"} & set(granted)  # the pages use them


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/history", 200),
        ("/account/login/", 200),
        ("/admin/", 302),
        ("/nothing", 404),
        ("/api/docs", 200),
        ("/api/config", 200),
        ("/api/blocks", 200),
        ("/api/nothing", 404),
        ("/api/streams/x/events", 404),
        (f"{START}?prompt=speak+briefly", 200),
        (f"{START}?prompt=", 400),
    ],
)
async def test_a_page_and_an_api_call_may_do_nothing_but_what_the_pages_need(
    server: Server, path: str, status: int
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.open(path) as client:
        assert client.status == status
        assert_is_safe(client)
        assert_grants_nothing(client)
        assert_once(client, DOCUMENT)
        assert len(client.values("content-security-policy")) == 1


@pytest.mark.parametrize(
    "path", ["/static/admin/css/base.css", "/static/drf_spectacular_sidecar/swagger-ui-dist/"]
)
async def test_a_file_is_no_other_sites_to_embed(server: Server, path: str) -> None:
    large = f"{path}swagger-ui-bundle.js"
    async with await Visitor(server.port).open(large if path.endswith("/") else path) as client:
        assert client.status == 200
        assert_is_safe(client)
        assert_grants_nothing(client)
        assert client.values("access-control-allow-origin") == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("POST", "/readyz", 405),
        ("POST", START, 413),
        ("OPTIONS", START, 200),
    ],
)
async def test_an_answer_that_django_does_not_see_is_safe_too(
    server: Server, method: str, path: str, status: int
) -> None:
    data = b"x" * (2 << 20) if status == 413 else None
    preflight = {"Origin": LISTED, "Access-Control-Request-Method": "POST"}
    headers = preflight if method == "OPTIONS" else {}
    visitor = Visitor(server.port)
    async with await visitor.open(path, method=method, data=data, headers=headers) as client:
        assert client.status == status
        assert_is_safe(client)


async def test_a_page_of_a_listed_origin_still_reads_every_answer(
    server: Server, database: Database
) -> None:
    program = Program(server.port, add_token(database), origin=LISTED)
    for path in ("/api/config", f"{START}?prompt=speak+briefly", "/api/nothing"):
        async with await program.open(path) as client:
            assert_is_safe(client)
            assert client.values("access-control-allow-origin") == [LISTED]
