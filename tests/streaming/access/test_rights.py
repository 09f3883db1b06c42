"""Permissions by visitor and origin. Source: spec.md, "HTTP", ADR on CSRF."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from blocks.models import BlockType
from streaming.access.visitor import (
    SESSION_KEY,
    is_allowed_host,
    keep_session,
    session_group,
    user_group,
    visitor_of,
)
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.browser import FOREIGN, START, Browser, by_content

# --- visitors --------------------------------------------------------------------------


def test_the_anonymous_are_known_by_a_random_id_in_their_session(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    session: dict[str, Any] = {}
    visitor = visitor_of(AnonymousUser(), session)
    keep_session(visitor, session)
    assert visitor_of(AnonymousUser(), session) == visitor
    assert visitor.owner == f"anonymous:{session[SESSION_KEY]}"
    assert len(session[SESSION_KEY]) >= 22
    assert visitor.groups == [session_group(session[SESSION_KEY])]
    assert visitor_of(AnonymousUser(), {}) != visitor


def test_a_visitor_without_a_session_counts_as_their_address(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    session: dict[str, Any] = {}
    first = visitor_of(AnonymousUser(), session, client="203.0.113.7")
    keep_session(first, session)
    again = visitor_of(AnonymousUser(), session, client="203.0.113.7")
    assert (first.owner, first.counts_as) == (again.owner, "address:203.0.113.7")
    assert again.counts_as == again.owner
    assert visitor_of(AnonymousUser(), {}, client="127.0.0.1").counts_as is None
    assert visitor_of(User(pk=7), {}, client="203.0.113.7").counts_as == "user:7"


def test_a_user_is_the_same_owner_in_every_session() -> None:
    ada = User(pk=7)
    one, other = visitor_of(ada, {}), visitor_of(ada, {})
    assert one.owner == other.owner == "user:7"
    assert one.session_id != other.session_id
    assert user_group(7) in one.groups and user_group(7) in other.groups


@pytest.mark.parametrize("user", [AnonymousUser(), None])
def test_the_anonymous_are_nobody_where_anonymous_use_is_off(settings: Any, user: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = False
    session: dict[str, Any] = {}
    with pytest.raises(Refused) as refused:
        visitor_of(user, session)
    assert refused.value.code == "not_authenticated"
    assert session == {}


def test_what_another_code_left_in_the_session_is_no_id(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    session: dict[str, Any] = {SESSION_KEY: ["a"]}
    visitor = visitor_of(None, session)
    keep_session(visitor, session)
    assert isinstance(session[SESSION_KEY], str)


def test_to_look_who_asks_changes_no_session(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    session: dict[str, Any] = {}
    assert visitor_of(AnonymousUser(), session) != visitor_of(AnonymousUser(), session)
    assert session == {}


async def test_the_cookie_of_the_anonymous_does_not_stand_in_their_rows(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    reader = await browser.start()
    await reader.end()
    row = await Stream.objects.aget()
    assert row.owner.startswith("anonymous:")
    assert row.owner.removeprefix("anonymous:") not in browser.cookies["sessionid"]


async def test_an_inactive_user_is_nobody(process: Process, settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = False
    gone = await User.objects.acreate(username="gone", is_active=False)
    visitor = Browser()
    await visitor.sign_in(gone)
    answer = await visitor.call("GET", "/api/streams")
    answer.problem("not_authenticated")
    assert "www-authenticate" in answer.headers


# --- hosts -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
        ("a b", False),
    ],
)
def test_a_host_is_allowed_by_the_settings(settings: Any, host: str, is_allowed: bool) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert is_allowed_host(host) is is_allowed


# --- writes carry the CSRF token -----------------------------------------------------------

BAD_TOKENS: list[dict[str, str | None]] = [
    {"X-CSRFToken": None},
    {"X-CSRFToken": ""},
    {"X-CSRFToken": "x"},
    {"X-CSRFToken": "a" * 32},
    {"X-CSRFToken": "a" * 64},
    {"Origin": FOREIGN},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", BAD_TOKENS, ids=by_content)
@pytest.mark.parametrize("username", [None, "ada"])
async def test_a_write_by_cookie_without_the_token_or_from_elsewhere_is_403(
    process: Process,
    block: BlockType,
    play: Play,
    make_browser: Any,
    headers: dict[str, str | None],
    username: str | None,
) -> None:
    provider = play("Hello", {"hang": True})
    visitor = await make_browser(username)
    running = await visitor.start_unwatched()
    await provider.until(lambda p: p.calls_open == 1)
    path = f"/api/streams/{running['stream_id']}"
    calls: list[tuple[str, str, list[Any]]] = [
        ("POST", START, [{"prompt": "Why?"}]),
        ("POST", f"{path}/cancel", []),
        ("POST", "/api/streams/cancel", [{"request_id": "1" * 8}]),
        ("DELETE", path, []),
    ]
    for method, call, data in calls:
        (await visitor.call(method, call, *data, headers=headers)).problem("csrf_failed")
    assert (await visitor.resource(running["stream_id"]))["status"] == "running"
    assert await Stream.objects.acount() == 1
    assert provider.calls_started == 1
    await visitor.cancel(running["stream_id"])


async def test_another_visitors_token_is_none(
    browser: Browser, block: BlockType, make_browser: Any
) -> None:
    other = await make_browser()
    answer = await browser.call(
        "POST", START, {"prompt": "Why?"}, headers={"X-CSRFToken": other.cookies["csrftoken"]}
    )
    answer.problem("csrf_failed")


async def test_a_token_in_a_form_is_none(browser: Browser, block: BlockType) -> None:
    """Any page can send a form, and reading it would consume the body."""
    token = browser.cookies["csrftoken"]
    answer = await browser.call(
        "POST",
        START,
        body=f"csrfmiddlewaretoken={token}&prompt=Why".encode(),
        headers={"X-CSRFToken": None, "Content-Type": "application/x-www-form-urlencoded"},
    )
    answer.problem("csrf_failed")


async def test_a_start_without_a_session_cookie_needs_no_token(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    visitor = Browser()
    reader = await visitor.start(headers={"X-CSRFToken": None, "Origin": None})
    await reader.end()
    assert "sessionid" in visitor.cookies


async def test_a_trusted_origin_may_write_with_the_token(
    browser: Browser, block: BlockType, play: Play, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example"]
    play("Hello")
    reader = await browser.start(headers={"Origin": "https://app.example"})
    await reader.end()


async def test_reading_needs_no_token(browser: Browser, block: BlockType, play: Play) -> None:
    play("Hello")
    reader = await browser.start()
    await reader.end()
    headers = {"X-CSRFToken": None, "Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}
    for path in (f"/api/streams/{reader.stream_id}", "/api/streams", "/api/config", "/api/blocks"):
        answer = await browser.call("GET", path, headers=headers)
        assert answer.status == 200
        # Without these headers, another site's script can't read the response.
        assert not [name for name in answer.headers if name.startswith("access-control-")]


# --- tokens ----------------------------------------------------------------------------------

CALLS = [
    ("GET", "/api/config"),
    ("GET", "/api/blocks"),
    ("GET", "/api/streams"),
    ("GET", f"/api/streams/{'x' * 22}"),
    ("DELETE", f"/api/streams/{'x' * 22}"),
    ("GET", f"/api/streams/{'x' * 22}/events"),
    ("POST", f"/api/streams/{'x' * 22}/cancel"),
    ("POST", "/api/streams/cancel"),
    ("GET", "/api/stream/ai-block/tale?prompt=Why"),
    ("POST", "/api/stream/ai-block/tale"),
]


@pytest.mark.parametrize("username", [None, "ada"])
@pytest.mark.parametrize("header", ["Token abc", "bearer"])
async def test_every_call_with_a_token_that_is_not_valid_is_401_also_beside_a_session(
    process: Process, block: BlockType, make_browser: Any, username: str | None, header: str
) -> None:
    browser = await make_browser(username)
    for method, path in CALLS:
        answer = await browser.call(method, path, headers={"Authorization": header})
        answer.problem("not_authenticated")
        assert answer.headers["www-authenticate"]
        answer = await browser.call(method, path, headers={"Authorization": "Basic YTpi"})
        assert answer.status != 401, path
    assert await Stream.objects.filter(block_type="tale").acount() == 1  # by Basic
