"""Search in a history: the results, and the limits on the work of one call.

Source: spec.md, "HTTP" (History); decisions/016.
"""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection

from liveai.project_asgi import django_application
from streaming.database import search, time_limit
from streaming.http import history
from streaming.http.request_threads import Lane, RequestThreads
from streaming.http.search_lanes import SEARCH
from streaming.models import Stream
from streaming.own_data import views
from streaming.process import Process
from tests.streaming.database.test_history import NOON, page, prompts, put
from tests.support.streaming.browser import Browser
from tests.support.streaming.exchange import Exchange


async def put_many(browser: Browser, count: int, **fields: Any) -> None:
    """Create rows whose prompts are their numbers; the newest has the highest."""
    for number in range(count):
        await put(browser, str(number), created_at=NOON + timedelta(seconds=number), **fields)


async def walk(browser: Browser, **query: Any) -> list[list[str]]:
    """Return the prompts of each page, to the last one."""
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        data = await page(browser, **query, **({"cursor": cursor} if cursor else {}))
        pages.append([stream["prompt"] for stream in data["results"]])
        cursor = data["next"]
    return pages


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit a call to five compared rows, read two at a time."""
    monkeypatch.setattr(search, "WINDOW_ROWS", 5)
    monkeypatch.setattr(search, "BATCH_ROWS", 2)


# --- results -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("ÄRGER", "Das gab viel ärger."),
        ("ärger", "ÄRGER"),
        ("ЖИЗНЬ", "о жизнь"),
        ("STRASSE", "die Straße"),
        ("日本", "日本語"),
        ("100%", "it is 100% sure"),
        ("a_b", "a_b"),
        ("\\", "a back\\slash"),
        ("'; DROP", "'; drop table"),
        ("x" * 100, "x" * 100),
    ],
    ids=ascii,
)
async def test_words_are_found_in_any_case_and_mean_themselves(
    browser: Browser, words: str, text: str
) -> None:
    await put(browser, "found", text=text)
    await put(browser, "not found", text="a-b")
    assert await prompts(browser, q=words) == ["found"]


@pytest.mark.parametrize("words", ["%", "_", "%%%", "*", ".*", "[a]", "?"])
async def test_signs_of_patterns_match_nothing_but_themselves(browser: Browser, words: str) -> None:
    await put(browser, "Why", text="An answer")
    assert await prompts(browser, q=words) == []


@pytest.mark.parametrize("length", [101, 1000, 30_000])
async def test_words_of_more_than_a_hundred_characters_are_400(
    browser: Browser, length: int
) -> None:
    answer = await browser.call("GET", f"/api/streams?q={'ä' * length}")
    answer.problem("invalid_input", field="q")


async def test_a_hundred_characters_are_counted_not_bytes(browser: Browser) -> None:
    await put(browser, "found", text="ä" * 100)
    assert await prompts(browser, q="Ä" * 100) == ["found"]


# --- the amount of work ------------------------------------------------------------------


async def test_a_call_looks_through_a_bounded_number_of_rows_and_next_goes_on(
    browser: Browser, small_window: None
) -> None:
    await put(browser, "the oldest", text="needle", created_at=NOON - timedelta(days=1))
    await put_many(browser, 23)
    pages = await walk(browser, q="needle")
    assert pages == [[]] * 4 + [["the oldest"]]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10])
async def test_every_match_is_found_once_whatever_the_windows(
    browser: Browser, small_window: None, count: int
) -> None:
    await put_many(browser, count, text="needle")
    pages = await walk(browser, q="needle", limit=2)
    assert list(chain(*pages)) == [str(number) for number in reversed(range(count))]
    assert all(len(found) <= 2 for found in pages)


async def test_matches_of_the_same_instant_are_found_once(
    browser: Browser, small_window: None
) -> None:
    for number in range(12):
        await put(browser, str(number), text="needle")
    found = list(chain(*await walk(browser, q="needle", limit=3)))
    assert sorted(found, key=int) == [str(number) for number in range(12)]


async def test_long_texts_make_the_window_smaller(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WINDOW_CHARS", 1000)
    await put_many(browser, 6, text="a" * 600)
    assert await walk(browser, q="b") == [[]] * 3


async def test_a_slow_database_ends_a_call_early_and_next_goes_on(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WINDOW_SECONDS", -1.0)
    await put_many(browser, 3, text="needle")
    assert await walk(browser, q="needle") == [["2"], ["1"], ["0"]]


async def test_filters_and_words_go_together(browser: Browser, small_window: None) -> None:
    await put_many(browser, 8, text="needle", block_type="quiz")
    await put(browser, "other", text="needle")
    await put(browser, "third", block_type="quiz")
    pages = await walk(browser, q="needle", block_type="quiz", status="cancelled")
    assert list(chain(*pages)) == [str(number) for number in reversed(range(8))]


async def test_a_row_that_goes_in_the_middle_of_a_search_is_left_out(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_id = await put(browser, "going", text="needle")
    await put(browser, "staying", text="needle")
    real = search.search

    def search_then_lose(*args: Any, **options: Any) -> Any:
        found = real(*args, **options)
        Stream.objects.filter(pk=stream_id).delete()
        return found

    monkeypatch.setattr(history, "search", search_then_lose)
    assert await prompts(browser, q="needle") == ["staying"]


async def test_a_statement_that_takes_too_long_is_503(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its statements here are too short to be stopped")
    monkeypatch.setattr(history, "READING_SECONDS", -1.0)
    monkeypatch.setattr(time_limit, "STEPS_BETWEEN_LOOKS", 1)
    for query in ("", "?q=a", "?status=error"):
        answer = await browser.call("GET", f"/api/streams{query}")
        answer.problem("over_capacity")
        assert answer.headers["retry-after"] == "2"
    monkeypatch.undo()
    assert await prompts(browser) == []  # the connection still works


# --- threads -------------------------------------------------------------------------------


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the threads that read a history."""
    names: list[str] = []
    real = views.read_history

    def read(*args: Any) -> Any:
        names.append(threading.current_thread().name)
        return real(*args)

    monkeypatch.setattr(views, "read_history", read)
    return names


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "q=a"),
        ("GET", "%71=a"),
        ("HEAD", "q=a"),
        ("GET", "limit=5&q=a"),
        ("GET", "q=&q=a"),
        ("GET", "q=%20"),
        ("GET", "&&q=a&"),
        ("GET", "q=a#x"),
    ],
)
async def test_a_search_stays_off_the_threads_of_all_others(
    browser: Browser, threads: list[str], method: str, query: str
) -> None:
    assert (await browser.call(method, f"/api/streams?{query}")).status == 200
    assert [name.startswith("search-") for name in threads] == [True]


@pytest.mark.parametrize("query", ["", "?limit=5", "?status=error", "?q="])
async def test_a_history_without_words_is_read_like_all_else(
    browser: Browser, threads: list[str], query: str
) -> None:
    assert (await browser.call("GET", f"/api/streams{query}")).status == 200
    assert [name.startswith("request-") for name in threads] == [True]


@pytest.mark.parametrize(
    ("charset", "query"),
    [("cp037", "%98=%81"), ("utf-7", "%2BAHE-=a"), ("utf-16-le", "q%00=a%00")],
)
async def test_no_charset_hides_a_search_from_its_lane(
    browser: Browser, threads: list[str], charset: str, query: str
) -> None:
    headers: Any = {"Content-Type": f"text/plain; charset={charset}"}
    answer = await browser.call("GET", f"/api/streams?{query}", headers=headers)
    answer.problem("invalid_input")
    assert threads == []


async def test_a_search_that_came_past_its_lane_is_refused(browser: Browser) -> None:
    past = RequestThreads(django_application, lanes=[Lane(SEARCH, lambda scope: False)])
    exchange = Exchange("GET", "/api/streams", "q=a", [(b"host", b"localhost")], app=past)
    assert (await exchange.head()).status == 503
    assert json.loads(await exchange.rest())["code"] == "over_capacity"


async def test_while_one_search_of_a_visitor_is_under_way_a_second_waits_and_a_third_is_429(
    process: Process, make_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await make_browser(), await make_browser()
    gate, entered = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    real = views.read_history

    def read(owner: str, query: Any) -> Any:
        if "q" in query:
            loop.call_soon_threadsafe(entered.set)
            assert gate.wait(10)
        return real(owner, query)

    monkeypatch.setattr(views, "read_history", read)

    def search_by(visitor: Browser) -> Any:
        return asyncio.ensure_future(visitor.call("GET", "/api/streams?q=a"))

    waiting = [search_by(ada), search_by(ada)]
    async with asyncio.timeout(10):
        await entered.wait()
    refused = await search_by(ada)
    refused.problem("rate_limited")
    assert refused.headers["retry-after"] == "1"
    assert (await ada.call("GET", "/api/streams")).status == 200  # only searches wait
    waiting.append(search_by(bob))
    await asyncio.sleep(0)
    gate.set()
    assert [answer.status for answer in await asyncio.gather(*waiting)] == [200] * 3
    assert (await search_by(ada)).status == 200


# --- indexes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "stream_history"),
        ({"status": "error"}, "stream_by_status"),
        ({"block_type": "quiz"}, "stream_by_block"),
        ({"block_type": "quiz", "status": "error"}, "stream_by_both"),
    ],
    ids=str,
)
@pytest.mark.parametrize("has_cursor", [False, True])
def test_each_way_to_narrow_a_history_down_has_its_index(
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    filters: dict[str, str],
    index: str,
    has_cursor: bool,
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a table that is nearly empty")
    plans: list[str] = []

    def explain(rows: Any, limit: int) -> Any:
        plans.append(rows.explain())
        return [], None

    monkeypatch.setattr(history, "_page", explain)
    cursor = {"cursor": history._write_cursor(search.Place(NOON, "A" * 22))} if has_cursor else {}
    history.read_history("user:1", {**filters, **cursor})
    (plan,) = plans
    assert f"INDEX {index} " in plan
    assert ("created_at<" in plan) == has_cursor
    assert "TEMP B-TREE" not in plan
