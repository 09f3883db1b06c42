"""Each answer names its request: `X-Request-ID`. Source: spec.md, "HTTP" (Request ids)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from blocks.models import BlockType
from streaming.http.handover import HandOver
from streaming.http.request_id import FORWARDED, ShowRequestId, id_in
from streaming.serving.forwarded import FirstScheme, ProxysIds
from tests.conftest import Play
from tests.support.streaming.browser import START, Browser

NAME = "x-request-id"
GENERATED = re.compile(r"[0-9a-f]{32}")
PROXY, STRANGER = ("127.0.0.1", 1), ("192.0.2.7", 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/api/config", 200),
        ("GET", "/api/nothing", 404),
        ("DELETE", "/api/config", 405),
        ("GET", "/", 200),
        ("GET", START, 404),
        ("GET", f"/api/streams/{'x' * 22}/events", 404),
    ],
)
async def test_answers_and_refusals_of_every_layer_carry_a_new_id(
    browser: Browser, method: str, path: str, status: int
) -> None:
    answers = [await browser.call(method, path) for _ in range(2)]
    assert [answer.status for answer in answers] == [status] * 2
    first, second = (answer.headers[NAME] for answer in answers)
    assert GENERATED.fullmatch(first) and GENERATED.fullmatch(second) and first != second


async def test_an_event_stream_carries_its_id(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    answer = await browser.call(
        "GET", f"{START}?prompt=Why", headers={"Accept": "text/event-stream"}
    )
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.status == 200 and GENERATED.fullmatch(answer.headers[NAME])


async def test_a_body_that_is_too_long_is_refused_with_an_id(browser: Browser) -> None:
    answer = await browser.call("POST", START, body=b"x" * (1 << 21))
    assert answer.status == 413 and GENERATED.fullmatch(answer.headers[NAME])


async def test_nobody_else_may_choose_an_id(browser: Browser) -> None:
    answer = await browser.call("GET", "/healthz", headers={"X-Request-ID": "mine"})
    assert GENERATED.fullmatch(answer.headers[NAME])


# --- a proxy's id ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"a", b"7f", b"A.b_c-9" * 9, b"5f" * 32])
def test_an_id_is_read(value: bytes) -> None:
    assert id_in([(b"host", b"x"), (NAME.encode(), value)]) == value.decode()


@pytest.mark.parametrize(
    "value",
    [b"", b"-a", b"a b", b"a\n", b"a" * 65, b"\xff", b"a=b", b"a;b", b'a"', b"<4>a", b"a/b?c"],
)
def test_what_is_no_id_is_none(value: bytes) -> None:
    assert id_in([(NAME.encode(), value)]) is None


def test_two_ids_are_none() -> None:
    assert id_in([(NAME.encode(), b"a"), (NAME.encode(), b"b")]) is None


async def _shown(client: Any, headers: list[tuple[bytes, bytes]]) -> str:
    """Return the id that an answer carries, under the layers of `manage.py serve`."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    layers = ProxysIds(FirstScheme(HandOver(ShowRequestId(app))))  # type: ignore[arg-type]
    scope = {"type": "http", "method": "GET", "path": "/", "client": client, "headers": headers}
    await layers(scope, None, send)
    assert (FORWARDED in scope) is (dict(sent[0]["headers"])[NAME.encode()] == b"abc")
    return dict(sent[0]["headers"])[NAME.encode()].decode()


@pytest.mark.parametrize("scheme", [[], [(b"x-forwarded-proto", b"https,http")]])
async def test_the_id_of_a_trusted_proxy_is_taken(scheme: list[tuple[bytes, bytes]]) -> None:
    assert await _shown(PROXY, [*scheme, (NAME.encode(), b"abc")]) == "abc"
    assert await _shown(None, [*scheme, (NAME.encode(), b"abc")]) == "abc"  # a Unix socket


async def test_the_id_of_a_stranger_and_a_bad_one_are_replaced() -> None:
    for client, value in [(STRANGER, b"abc"), (PROXY, b"a b"), (PROXY, b"")]:
        assert GENERATED.fullmatch(await _shown(client, [(NAME.encode(), value)]))
