"""`wrap` takes the calls where the host has included them, and leaves all else to the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import clear_url_caches, include, path, re_path

from liveai.host import asgi
from liveai.host.places import base_path
from streaming.http.request_threads import has_request_thread
from streaming.process import Process

urlpatterns = [
    path("ai/", include("liveai.host.urls")),
    path("ai/readyz", lambda request: None),
    path("api/config", lambda request: None),
]


@pytest.fixture(autouse=True)
def below_a_prefix() -> Iterator[None]:
    caches = (asgi._prefix, asgi._probe_paths)
    for cached in caches:
        cached.cache_clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    clear_url_caches()
    for cached in caches:
        cached.cache_clear()


class Host:
    """A host's application, which remembers what it was asked, and whether in our layers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append((scope["path"], has_request_thread()))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close"})
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def get(app: Any, address: str, *, kind: str = "http", root: str = "") -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "method": "GET",
        "path": root + address,
        "root_path": root,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return sent


ADDRESSES = {
    "/ai/api/config": True,
    "/ai/api/streams/x/events": True,
    "/ai/api/nothing": False,
    "/ai/v1/models": True,
    "/ai/v1/nothing": False,
    "/v1/models": False,
    "/ai/api": False,
    "/ai/": False,
    "/": False,
    "/api/config": False,
    "/healthz": False,
    "/ai/readyz": False,  # the host has it, too
}
"""Whether each is ours."""


async def test_only_our_addresses_are_ours(process: Process) -> None:
    host = Host()
    app = asgi.wrap(host)
    for root in ("", "/site"):
        for address, is_ours in ADDRESSES.items():
            await get(app, address, root=root)
            assert host.seen.pop() == (root + address, is_ours)
    for address in ("/ws/stream", "/ai/ws/echo"):
        await get(app, address, kind="websocket")
        assert host.seen.pop() == (address, False)
    sent = await get(app, "/ai/healthz")
    assert sent[0]["status"] == 200 and host.seen == []


def test_browsers_get_the_prefix_of_the_calls() -> None:
    assert base_path() == "/ai"


def test_a_catch_all_of_the_host_is_no_address_of_ours() -> None:
    urlpatterns.append(re_path("", lambda request: None))
    clear_url_caches()
    try:
        assert not asgi._is_call("/ai/api/nothing") and asgi._is_call("/ai/api/config")
    finally:
        urlpatterns.pop()
