"""HTTP calls with an API token: who asks, what is allowed, and from which origins.

Source: spec.md, "HTTP" (Who may start, API tokens, Other origins).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from blocks.models import BlockType
from liveai.api_tokens.models import ApiToken
from streaming.access import tokens
from streaming.admission.tokens import INVALID_BURST
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.api_tokens import NO_TOKEN, token_of
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.browser import FOREIGN, START, Browser

LISTED = "https://app.example"


@pytest.fixture(autouse=True)
def listed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [LISTED]


# --- who asks --------------------------------------------------------------------------------


@pytest.mark.parametrize("allows", [True, False])
async def test_the_holder_of_a_token_is_its_user_and_gets_no_cookies(
    start_process: StartProcess, block: BlockType, allows: bool
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=allows)
    process.providers.use(MODEL, scripted("Hello"))
    program = Browser(token=await token_of("ada"))
    line = await program.start()
    await line.end()
    row = await Stream.objects.aget()
    assert row.owner == f"user:{row.user_id}" and row.session.startswith("token:")
    assert (await program.resource(line.stream_id))["status"] == "complete"
    listed = (await program.call("GET", "/api/streams")).json()["results"]
    assert [each["stream_id"] for each in listed] == [line.stream_id]
    config = (await program.call("GET", "/api/config")).json()
    assert config["user"] == {"username": "ada"}
    assert (await program.call("DELETE", f"/api/streams/{line.stream_id}")).status == 204
    assert program.cookies == {}
    assert await Session.objects.acount() == 0
    assert (await ApiToken.objects.aget()).last_used_at is not None


async def test_a_token_wins_over_a_session(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    browser = await make_browser("bob")
    cookies = dict(browser.cookies)
    headers = {"Authorization": f"Token {await token_of('ada')}", "X-CSRFToken": None}
    line = await browser.start(headers=headers)
    await line.end()
    ada = await User.objects.aget(username="ada")
    assert (await Stream.objects.aget()).owner == f"user:{ada.pk}"
    (await browser.call("GET", f"/api/streams/{line.stream_id}")).problem("not_found")
    assert browser.cookies == cookies


async def test_a_user_sees_by_token_what_was_asked_in_a_session_and_the_reverse(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    browser, program = await make_browser("ada"), Browser(token=await token_of("ada"))
    for one, other in [(browser, program), (program, browser)]:
        started = await one.start_unwatched()
        assert (await other.resource(started["stream_id"]))["prompt"] == "Why?"


async def test_who_comes_without_a_token_costs_no_lookup_of_tokens(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Any:
        raise AssertionError("tokens were looked up")

    monkeypatch.setattr(tokens, "get_token_model", fail)
    play("Hello")
    line = await browser.start()
    await browser.connect()
    await process.connections.check_rights()
    await line.end()


# --- invalid tokens --------------------------------------------------------------------------


async def test_a_token_that_is_not_valid_is_401_even_where_everybody_may_ask(
    process: Process, block: BlockType, make_browser: Any
) -> None:
    browser = await make_browser("ada")
    for token in (NO_TOKEN, "abc", "", "\xff" * 9):
        for scheme in ("Token", "bearer"):
            headers = {"Authorization": f"{scheme} {token}"}
            answer = await browser.call("GET", "/api/streams", headers=headers)
            answer.problem("not_authenticated")
            assert "Bearer" in answer.headers["www-authenticate"]


async def test_too_many_invalid_tokens_of_an_address_are_rate_limited(process: Process) -> None:
    program = Browser(token=NO_TOKEN, address="203.0.113.7")
    process.tokens._count(program.address, INVALID_BURST + 5)
    answer = await program.call("GET", "/api/streams")
    answer.problem("rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    neighbour = Browser(token=await token_of("ada"), address="203.0.113.8")
    assert (await neighbour.call("GET", "/api/streams")).status == 200


# --- scopes ----------------------------------------------------------------------------------


async def test_a_token_that_may_only_read_sees_everything_and_changes_nothing(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    program = Browser(token=await token_of("ada"))
    reader = Browser(token=await token_of("ada", scope="read", name="Reader"))
    request_id = new_request_id()
    started = await program.start_unwatched(request_id=request_id)
    own = f"/api/streams/{started['stream_id']}"
    line = await reader.watch(started["stream_id"])
    await line.text("The ")
    headers = {"Last-Event-ID": f"{started['stream_id']}:-1"}
    resumed = await reader.events("POST", START, {"prompt": "Why?"}, headers=headers)
    await resumed.text("The ")
    assert (await reader.call("GET", "/api/streams")).status == 200
    refused = [
        await reader.call("GET", f"{START}?prompt=Why"),
        await reader.call("POST", START, {"prompt": "Why?"}),
        await reader.post_json(START, {"prompt": "Why?"}),
        await reader.call("POST", f"{own}/cancel"),
        await reader.call("POST", "/api/streams/cancel", {"request_id": request_id}),
        await reader.call("POST", "/api/streams/cancel", {"request_id": new_request_id()}),
        await reader.call("DELETE", own),
    ]
    for answer in refused:
        assert "only read" in answer.problem("forbidden")["detail"]
    row = await Stream.objects.aget()
    assert (row.cancel_intent, row.ended_at) == ("", None)
    await reader.aclose()


# --- origins ---------------------------------------------------------------------------------


async def test_from_a_listed_origin_a_token_without_cookies_may_do_anything(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    program = Browser(token=await token_of("ada"))
    headers = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}
    for method, path, data in [
        ("GET", f"{START}?prompt=Why", None),
        ("POST", START, {"prompt": "Why?"}),
    ]:
        more = {} if data is None else {"data": data}
        answer = await program.call(method, path, headers=headers, **more)
        assert answer.status == 200, answer
        assert answer.body.count(b"event: complete") == 1
    assert (await program.call("GET", "/api/streams", headers=headers)).status == 200


@pytest.mark.parametrize(
    ("origin", "cookie"),
    [
        (FOREIGN, None),
        ("null", None),
        ("http://app.example", None),
        ("https://app.example:8443", None),
        ("https://x.app.example", None),
        (LISTED, "sessionid=k"),
    ],
)
async def test_from_other_origins_and_beside_a_session_cookie_a_token_is_refused(
    process: Process, block: BlockType, origin: str, cookie: str | None
) -> None:
    program = Browser(token=await token_of("ada"))
    headers = {"Origin": origin, "Cookie": cookie}
    for method, path in [("GET", f"{START}?prompt=Why"), ("POST", START), ("GET", "/api/streams")]:
        more = {"data": {"prompt": "Why?"}} if method == "POST" else {}
        answer = await program.call(method, path, headers=headers, **more)
        answer.problem("forbidden_origin")
    assert await Stream.objects.acount() == 0


@pytest.mark.parametrize("origin", [LISTED, FOREIGN, "null"])
async def test_pages_of_other_sites_start_nothing_without_a_token(
    process: Process, block: BlockType, origin: str
) -> None:
    newcomer = Browser()
    for method, path in [("GET", f"{START}?prompt=Why"), ("POST", START)]:
        more = {"data": {"prompt": "Why?"}} if method == "POST" else {}
        answer = await newcomer.call(method, path, headers={"Origin": origin}, **more)
        answer.problem("forbidden_origin")
    assert await Stream.objects.acount() == 0
    assert newcomer.cookies == {}
