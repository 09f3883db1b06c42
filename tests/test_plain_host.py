"""`Host` and `Origin` as browsers write them."""

from __future__ import annotations

from typing import Any

import pytest

from liveai.plain_host import PlainHost
from streaming.http.asgi_types import Receive, Scope, Send


@pytest.mark.parametrize(
    ("scheme", "host", "plain"),
    [
        ("https", b"a.test:443", b"a.test"),
        ("wss", b"a.test:443", b"a.test"),
        ("https", b"A.Test", b"a.test"),
        ("https", b"a.test:80", b"a.test"),
        ("https", b"a.test:8443", b"a.test:8443"),
        ("https", b"[2001:DB8::1]:443", b"[2001:db8::1]"),
        ("https", b"[fe80::443]", b"[fe80::443]"),
        ("http", b"a.test:80", b"a.test"),
        ("ws", b"a.test:80", b"a.test"),
        ("http", b"a.test:8080", b"a.test:8080"),
        ("http", b"a.test:443", b"a.test:443"),
        ("http", b"a.test:\xff", b"a.test:\xff"),
    ],
)
async def test_a_default_port_and_capital_letters_go(
    scheme: str, host: bytes, plain: bytes
) -> None:
    kind = "websocket" if scheme.startswith("ws") else "http"
    headers = [(b"host", host), (b"x-a", b"B:443")]
    assert await _passed({"type": kind, "scheme": scheme, "headers": headers}) == [
        (b"host", plain),
        (b"x-a", b"B:443"),
    ]


@pytest.mark.parametrize(
    ("origin", "plain"),
    [
        (b"https://a.test:443", b"https://a.test"),
        (b"HTTP://A.Test:80", b"http://a.test"),
        (b"https://[2001:DB8::443]:443", b"https://[2001:db8::443]"),
        (b"https://a.test:80", b"https://a.test:80"),
        (b"http://a.test:443", b"http://a.test:443"),
        (b"https://a.test:8443", b"https://a.test:8443"),
        (b"null", b"null"),
        (b"\xff://:443", b"\xff://:443"),
        (b"", b""),
    ],
)
async def test_an_origin_names_no_default_port_and_no_capital_letters(
    origin: bytes, plain: bytes
) -> None:
    headers = [(b"host", b"a.test"), (b"origin", origin)]
    passed = await _passed({"type": "http", "scheme": "https", "headers": headers})
    assert passed == [(b"host", b"a.test"), (b"origin", plain)]


async def _passed(scope: dict[str, Any]) -> Any:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["headers"])

    async def nothing(*_: Any) -> Any:
        return None

    await PlainHost(app)(scope, nothing, nothing)
    return seen[0]
