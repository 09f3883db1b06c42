"""A GET that would start a stream is refused where another site can have caused it.

Source: spec.md, "HTTP" (who may start), ADR on CSRF.
"""

from __future__ import annotations

import pytest

from blocks.models import BlockType
from streaming.access.visitor import check_start_by_get
from streaming.errors import Refused
from streaming.models import Stream
from tests.conftest import Play
from tests.support.streaming.browser import FOREIGN, ORIGIN, START, Browser, by_content

GET_START = f"{START}?prompt=Why"


ALLOWED_GETS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Referer": f"{ORIGIN}/x?y"},
    {"Origin": ORIGIN},
    {"Referer": f"{ORIGIN}/"},
    {"Referer": ORIGIN.upper().replace("HTTP", "http")},
]
REFUSED_GETS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
    {"Sec-Fetch-Site": "same-origin", "Sec-Purpose": "prefetch"},
    {"Sec-Fetch-Site": "same-origin", "Sec-Purpose": "prefetch;prerender"},
    {"Sec-Fetch-Site": "same-origin", "Purpose": "Prefetch"},
    {"Sec-Fetch-Site": "same-origin", "Origin": FOREIGN},
    {"Sec-Fetch-Site": "same-origin", "Referer": f"{FOREIGN}/"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": ORIGIN, "Referer": FOREIGN},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": f"{ORIGIN}:81"},
    {"Origin": ORIGIN.replace("http", "https")},
    {"Referer": f"{FOREIGN}/{ORIGIN}/"},
    {"Referer": "http://[::1"},
    {"Referer": "//localhost/"},
]


@pytest.mark.parametrize("headers", ALLOWED_GETS, ids=by_content)
@pytest.mark.parametrize("has_session_cookie", [True, False])
def test_a_get_from_a_page_of_the_site_may_start(
    headers: dict[str, str], has_session_cookie: bool
) -> None:
    check_start_by_get(
        headers, has_session_cookie=has_session_cookie, host="localhost", is_secure=False
    )


@pytest.mark.parametrize("headers", REFUSED_GETS, ids=by_content)
@pytest.mark.parametrize("has_session_cookie", [True, False])
def test_a_get_that_another_site_can_have_caused_may_not_start(
    headers: dict[str, str], has_session_cookie: bool
) -> None:
    with pytest.raises(Refused) as refused:
        check_start_by_get(
            headers, has_session_cookie=has_session_cookie, host="localhost", is_secure=False
        )
    assert refused.value.code == "forbidden_origin"


BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0",
    "mozilla/5.0",
]


@pytest.mark.parametrize("agent", BROWSERS)
@pytest.mark.parametrize("headers", ALLOWED_GETS, ids=by_content)
def test_a_browser_that_says_where_it_comes_from_may_start(
    headers: dict[str, str], agent: str
) -> None:
    headers = {**headers, "User-Agent": agent}
    check_start_by_get(headers, has_session_cookie=True, host="localhost", is_secure=False)


@pytest.mark.parametrize("agent", BROWSERS)
def test_on_plain_http_a_browser_that_says_nothing_may_not_start(agent: str) -> None:
    headers = {"User-Agent": agent}
    with pytest.raises(Refused) as refused:
        check_start_by_get(headers, has_session_cookie=False, host="site.test", is_secure=False)
    assert refused.value.code == "forbidden_origin"
    check_start_by_get(headers, has_session_cookie=False, host="site.test", is_secure=True)


@pytest.mark.parametrize("agent", ["curl/7.88.1", "python-httpx/0.28", ""])
def test_on_plain_http_a_tool_that_says_nothing_may_start(agent: str) -> None:
    headers = {"User-Agent": agent}
    check_start_by_get(headers, has_session_cookie=False, host="site.test", is_secure=False)


def test_a_get_that_says_nothing_may_start_only_without_a_session() -> None:
    check_start_by_get({}, has_session_cookie=False, host="localhost", is_secure=False)
    with pytest.raises(Refused):
        check_start_by_get({}, has_session_cookie=True, host="localhost", is_secure=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": None},
        {"Sec-Fetch-Mode": "navigate"},
        {"Sec-Purpose": "prefetch"},
        {"Purpose": "prefetch"},
        {"Origin": FOREIGN},
        {"Referer": f"{FOREIGN}/"},
    ],
    ids=by_content,
)
async def test_a_refused_get_starts_nothing(
    browser: Browser, block: BlockType, play: Play, headers: dict[str, str | None]
) -> None:
    provider = play("Hello")
    (await browser.call("GET", GET_START, headers=headers)).problem("forbidden_origin")
    assert await Stream.objects.acount() == 0
    assert provider.calls_started == 0


async def test_the_rule_of_the_get_is_asked_before_the_block_is_looked_for(
    browser: Browser,
) -> None:
    """Another site must not learn which blocks exist."""
    answer = await browser.call("GET", GET_START, headers={"Sec-Fetch-Site": "cross-site"})
    answer.problem("forbidden_origin")


async def test_a_get_with_last_event_id_goes_on_wherever_it_comes_from(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    first = await browser.start()
    await first.end()
    headers = {"Last-Event-ID": f"{first.stream_id}:-1", "Sec-Fetch-Site": None}
    second = await browser.events("GET", GET_START, headers=headers)
    await second.end()
    assert second.stream_id == first.stream_id
