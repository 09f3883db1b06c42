"""The layer that completes paths below SITE_PATH."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from liveai.environment import OWN_NAMES
from liveai.site_path import SitePath, own_cookies
from streaming.http.asgi_types import Receive, Scope, Send


async def _pass(scope: dict[str, Any], root: str = "/ai") -> tuple[dict[str, Any], list[Any]]:
    """Return the scope that the application sees, and what is sent to the client."""
    seen: dict[str, Any] = {}
    sent: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope)

    async def receive() -> Any:
        raise AssertionError("nothing to receive")

    async def send(message: Any) -> None:
        sent.append(message)

    await SitePath(app, root)(scope, receive, send)
    return seen, sent


def _scope(path: str, kind: str = "http", **more: Any) -> dict[str, Any]:
    raw_path = path.encode()
    return {
        "type": kind,
        "path": path,
        "raw_path": raw_path,
        "query_string": b"",
        "headers": [],
    } | more


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/", "/ai/"),
        ("/ai/", "/ai/"),
        ("/history", "/ai/history"),
        ("/ai/history", "/ai/history"),
        ("/air", "/ai/air"),
        ("/ai/ai/x", "/ai/ai/x"),
    ],
)
async def test_a_path_is_whole_whether_the_proxy_removed_its_part_or_not(
    kind: str, asked: str, path: str
) -> None:
    seen, sent = await _pass(_scope(asked, kind))
    assert (seen["path"], seen["raw_path"], seen["root_path"]) == (path, path.encode(), "/ai")
    assert sent == []


async def test_the_path_without_its_last_slash_is_redirected_with_its_query() -> None:
    seen, sent = await _pass(_scope("/ai", query_string=b"a=%2F"))
    assert seen == {}
    assert sent[0]["status"] == 308
    assert dict(sent[0]["headers"])[b"location"] == b"/ai/?a=%2F"


async def test_a_site_with_a_whole_host_is_left_alone() -> None:
    scope = _scope("/ai/x", headers=[(b"cookie", b"a=1; a=2")])
    seen, _ = await _pass(scope, root="")
    assert seen == scope


async def test_the_lifespan_passes() -> None:
    seen, _ = await _pass({"type": "lifespan"})
    assert seen == {"type": "lifespan"}


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ([b"a=1; b=2"], b"a=1; b=2"),
        ([b"a=own; a=of-the-host"], b"a=own"),
        ([b"a=own", b"a=of-the-host; b=2"], b"a=own; b=2"),
        ([b"a=1=2;b", b"b=3"], b"a=1=2; b"),
    ],
)
def test_of_two_cookies_with_a_name_the_one_with_the_longer_path_is_kept(
    headers: list[bytes], kept: bytes
) -> None:
    other = (b"host", b"a.test")
    given = [other, *((b"cookie", value) for value in headers)]
    assert own_cookies(given) == [other, (b"cookie", kept)]


def test_no_cookies_stay_no_cookies() -> None:
    assert own_cookies([(b"host", b"a.test")]) == [(b"host", b"a.test")]


def _first_names(resolver: URLResolver, before: str = "") -> set[str]:
    """Return the first names of all addresses that Django serves."""
    names = set()
    for each in resolver.url_patterns:
        address = before + str(each.pattern)
        if isinstance(each, URLPattern) or address:
            names.add(address.split("/")[0])
        else:
            names |= _first_names(each, address)
    return names


def test_a_path_can_not_begin_with_any_name_of_the_sites_own_addresses() -> None:
    names = _first_names(get_resolver()) - {""}
    assert len(names) > 5
    assert set(OWN_NAMES) == names | {"static", "ws", "healthz", "readyz", "metrics"}
