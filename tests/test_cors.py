"""Pages of listed origins may call the API, and read each answer. Source: spec.md, "HTTP"."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from blocks.models import BlockType
from streaming.process import Process
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.api_tokens import token_of
from tests.support.streaming.browser import START, Answer, Browser
from tests.support.streaming.dialect_calls import CHAT, COMPLETIONS, RUN, chat, completion, run

LISTED, OTHER = "https://app.example", "https://other.example"
CALLS = [
    ("GET", "/api/config"),
    ("GET", "/api/blocks"),
    ("GET", START),
    ("POST", START),
    ("GET", "/api/streams"),
    ("GET", "/api/streams?q=x"),
    ("POST", "/api/streams/cancel"),
    ("GET", f"/api/streams/{'x' * 22}"),
    ("DELETE", f"/api/streams/{'x' * 22}"),
    ("GET", f"/api/streams/{'x' * 22}/events"),
    ("POST", f"/api/streams/{'x' * 22}/cancel"),
    ("GET", "/api/schema"),
    ("POST", "/api/dialects/ai-sdk/tale"),
    ("GET", "/api/dialects/ai-sdk/tale/c1/stream"),
    ("POST", "/api/dialects/ag-ui/tale"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/nothing"),
    ("GET", "/api/nothing"),
    ("GET", "/api"),
]


@pytest.fixture(autouse=True)
def listed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [LISTED]


def cors_of(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


def vary_of(headers: dict[str, str]) -> set[str]:
    return {name.strip().lower() for name in headers.get("vary", "").split(",")}


def assert_readable(answer: Answer) -> None:
    assert cors_of(answer.headers) == {
        "access-control-allow-origin": LISTED,
        "access-control-expose-headers": "Retry-After, WWW-Authenticate, X-Request-ID",
    }
    assert "origin" in vary_of(answer.headers)


# --- preflights ------------------------------------------------------------------------------


async def preflight(path: str, method: str, origin: str = LISTED) -> Answer:
    headers: dict[str, str | None] = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
        "Sec-Fetch-Site": "cross-site",
        "X-CSRFToken": None,
    }
    return await Browser().call("OPTIONS", path, headers=headers)


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_call_has_a_preflight_that_needs_no_thread_and_no_database(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a preflight takes a thread")

    monkeypatch.setattr("streaming.http.request_threads._Threads.run", fail)
    answer = await preflight(path, method)
    assert (answer.status, answer.body) == (200, b"")
    allowed = cors_of(answer.headers)
    assert allowed["access-control-allow-origin"] == LISTED
    assert method in allowed["access-control-allow-methods"].split(", ")
    names = set(allowed["access-control-allow-headers"].split(", "))
    assert {name for name in names if not name.startswith("x-stainless-")} == {
        "accept",
        "authorization",
        "content-type",
        "last-event-id",
        "user-agent",  # of OpenAI's package, like `x-stainless-…`: see tests/dialects
    }
    assert int(allowed["access-control-max-age"]) >= 3600
    assert "access-control-allow-credentials" not in allowed
    assert "origin" in vary_of(answer.headers)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "https://app.example.evil", "http://app.example"]
)
async def test_an_origin_that_is_not_listed_is_allowed_nothing(origin: str) -> None:
    answer = await preflight(START, "POST", origin)
    assert cors_of(answer.headers) == {}
    assert "origin" in vary_of(answer.headers)


@pytest.mark.parametrize(
    "path", ["/", "/account/login/", "/admin/", "/apix", "/static/x", "/healthz"]
)
async def test_no_other_path_knows_cors(process: Process, path: str) -> None:
    answer = await Browser().call("GET", path, headers={"Origin": LISTED})
    assert cors_of(answer.headers) == {}
    assert "origin" not in vary_of(answer.headers)


async def test_without_a_list_nothing_is_added(process: Process, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    answer = await Browser().call("GET", "/api/blocks", headers={"Origin": LISTED})
    assert answer.status == 200
    assert cors_of(answer.headers) == {}
    assert "origin" not in vary_of(answer.headers)


# --- answers ---------------------------------------------------------------------------------


async def test_streams_handed_over_keep_the_headers(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    program = Browser(token=await token_of("ada"))
    for headers in ({"Origin": LISTED}, {"Origin": LISTED, "Accept": "application/json"}):
        answer = await program.call("POST", START, {"prompt": "Why?"}, headers=headers)
        assert answer.status in (200, 201)
        assert_readable(answer)
    for path, body in ((CHAT, chat()), (RUN, run()), (COMPLETIONS, completion(stream=True))):
        answer = await program.call("POST", path, body, headers={"Origin": LISTED})
        assert answer.status == 200
        assert_readable(answer)
    other = await program.call(
        "GET", "/api/blocks", headers={"Origin": OTHER, "Authorization": None}
    )
    assert cors_of(other.headers) == {}
    assert "origin" in vary_of(other.headers)


async def test_what_depends_on_more_than_the_origin_says_both(process: Process) -> None:
    headers: dict[str, str | None] = {"Origin": LISTED}
    answer = await Browser().call("GET", "/api/config", headers=headers)
    assert {"origin", "cookie"} <= vary_of(answer.headers)
    assert_readable(answer)


async def test_every_refusal_can_be_read(
    start_process: StartProcess, block: BlockType, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=False, STREAM_MAX_RUNNING=1)
    process.providers.use(MODEL, scripted({"hang": True}))
    origin: dict[str, str | None] = {"Origin": LISTED}
    program = Browser(token=await token_of("ada"))
    reader = Browser(token=await token_of("ada", scope="read", name="Reader"))
    ask = {"prompt": "Why?"}

    async def refused(who: Browser, code: Any, method: str, path: str, *data: Any) -> None:
        answer = await who.call(method, path, *data, headers=origin)
        answer.problem(code)
        assert_readable(answer)

    await refused(Browser(token="abc"), "not_authenticated", "GET", "/api/streams")
    await refused(Browser(), "forbidden_origin", "POST", START, ask)
    await refused(reader, "forbidden", "POST", START, ask)
    await refused(program, "not_found", "GET", "/api/nothing")
    await refused(program, "method_not_allowed", "DELETE", "/api/blocks")
    await refused(program, "malformed", "GET", "/api/blocks?" + "x" * 70_000)
    await refused(program, "prompt_too_long", "POST", START, {"prompt": "x" * 2_000_000})
    theirs = await program.call("GET", "/v1/nothing", headers=origin)
    assert theirs.json()["error"]["code"] == "not_found"
    assert_readable(theirs)
    await program.start_unwatched()
    await refused(program, "over_capacity", "POST", START, ask)
    process.tokens._count("203.0.113.7", 100)
    await refused(
        Browser(token="abc", address="203.0.113.7"), "rate_limited", "GET", "/api/streams"
    )
    await process.manager.drain()
    await refused(program, "shutting_down", "POST", START, ask)


async def test_what_the_search_lane_refuses_can_be_read(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = asyncio.Semaphore(0), asyncio.Event()

    async def wait(*args: Any) -> None:
        entered.release()
        await leave.wait()

    monkeypatch.setattr("streaming.http.request_threads._Threads.run", wait)
    visitor = Browser(address="203.0.113.7")
    searches = [asyncio.create_task(visitor.call("GET", "/api/streams?q=x")) for _ in range(2)]
    for _ in searches:
        await entered.acquire()
    answer = await visitor.call("GET", "/api/streams?q=x", headers={"Origin": LISTED})
    answer.problem("rate_limited")
    assert_readable(answer)
    for search in searches:
        search.cancel()
    leave.set()
    await asyncio.wait(searches)
