"""A visitor's history over HTTP: `GET /api/streams`. Source: spec.md, "HTTP"."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from blocks.models import BlockType
from streaming.access.sessions import SESSION_KEY, SessionStore
from streaming.database.store import new_stream_id
from streaming.models import Stream
from tests.conftest import MakeBlock, Play
from tests.support.blocks.quiz import QUIZ
from tests.support.schema import validate_stream_document, validate_stream_list
from tests.support.streaming.browser import Browser

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


async def owner_of(browser: Browser) -> str:
    session = SessionStore(browser.cookies["sessionid"])
    return f"anonymous:{await session.aget(SESSION_KEY)}"


async def put(browser: Browser, prompt: str, **fields: Any) -> str:
    """Create the row of an ended stream of this visitor; return its id."""
    stream_id = fields.pop("id", None) or new_stream_id()
    values = {
        "owner": await owner_of(browser),
        "block_type": "tale",
        "model": "x",
        "status": "cancelled",
        "mark": 9,
        "created_at": NOON,
        **fields,
    }
    if values["status"] == "cancelled":
        values["ended_at"] = values["created_at"]
        values["seq"] = 0
        values["terminal"] = {
            "type": "cancelled",
            "stream_id": stream_id,
            "seq": 0,
            "by": "owner",
        }
    await Stream.objects.acreate(id=stream_id, prompt=prompt, **values)
    return stream_id


async def page(browser: Browser, **query: Any) -> dict[str, Any]:
    answer = await browser.call("GET", f"/api/streams?{urlencode(query)}")
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    data: dict[str, Any] = answer.json()
    validate_stream_list(data)
    return data


async def prompts(browser: Browser, **query: Any) -> list[str]:
    return [stream["prompt"] for stream in (await page(browser, **query))["results"]]


async def test_who_has_asked_nothing_has_no_history(browser: Browser) -> None:
    assert await page(browser) == {"results": [], "next": None}


async def test_the_newest_stands_first(browser: Browser) -> None:
    for hours, prompt in [(1, "b"), (0, "a"), (2, "c")]:
        await put(browser, prompt, created_at=NOON + timedelta(hours=hours))
    assert await prompts(browser) == ["c", "b", "a"]


async def test_ended_and_running_streams_are_described_as_their_snapshots_without_items(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block("quiz2", output="quiz")
    play({"json": QUIZ})
    quiz = await browser.start("quiz2")
    await quiz.end()
    await make_block()
    play("Hel", "lo", {"hang": True})
    tale = await browser.start()
    await tale.text("Hello")
    results = (await page(browser))["results"]
    assert [result["stream_id"] for result in results] == [tale.stream_id, quiz.stream_id]
    assert results[0]["text"] == "Hello"  # from its log: the row lags behind
    for result in results:
        assert "items" not in result
        whole = await browser.resource(result["stream_id"])
        assert whole.pop("items") is not None
        assert whole == result
    await browser.cancel(tale.stream_id)


async def test_the_rows_of_others_are_not_in_it(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    visitors = [await make_browser(), await make_browser("ada"), await make_browser("bob")]
    for number, visitor in enumerate(visitors):
        await (await visitor.start(prompt=f"mine {number}")).end()
    for number, visitor in enumerate(visitors):
        assert await prompts(visitor) == [f"mine {number}"]
        assert await prompts(visitor, q="mine") == [f"mine {number}"]
    assert await prompts(browser) == []


async def test_a_cursor_of_one_visitor_shows_another_nothing(
    browser: Browser, make_browser: Any
) -> None:
    for number in range(3):
        await put(browser, f"{number}")
    cursor = (await page(browser, limit=1))["next"]
    assert await prompts(await make_browser(), cursor=cursor) == []


# --- pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("apart", [0, 1])
async def test_pages_hold_every_stream_once_also_those_of_the_same_instant(
    browser: Browser, limit: int, apart: int
) -> None:
    made = [
        await put(browser, str(number), created_at=NOON + timedelta(microseconds=number * apart))
        for number in range(7)
    ]
    expected = made[::-1] if apart else sorted(made, reverse=True)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        data = await page(browser, **query)
        assert 0 < len(data["results"]) <= limit
        seen += [stream["stream_id"] for stream in data["results"]]
        assert len(seen) <= len(made)
        cursor = data["next"]
    assert seen == expected


async def test_what_is_asked_meanwhile_moves_no_page(browser: Browser) -> None:
    for number in range(4):
        await put(browser, str(number), created_at=NOON + timedelta(seconds=number))
    first = await page(browser, limit=2)
    await put(browser, "new", created_at=NOON + timedelta(hours=1))
    await Stream.objects.filter(pk=first["results"][1]["stream_id"]).adelete()
    assert await prompts(browser, limit=2, cursor=first["next"]) == ["1", "0"]


async def test_twenty_are_a_page_and_a_full_last_page_has_no_next(browser: Browser) -> None:
    for number in range(20):
        await put(browser, str(number))
    assert (await page(browser))["next"] is None
    await put(browser, "one more")
    data = await page(browser)
    assert len(data["results"]) == 20
    assert data["next"] is not None


@pytest.mark.parametrize(
    "limit",
    ["0", "101", "-1", "x", "", "1.5", "٣", "0000000010000", "000000001" + "0" * 5000],
    ids=lambda limit: limit[:14],
)
async def test_a_limit_out_of_range_is_400(browser: Browser, limit: str) -> None:
    answer = await browser.call("GET", f"/api/streams?limit={quote(limit)}")
    answer.problem("invalid_input", field="limit")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "====",
        "ä",
        "\0",
        "a" * 4000,
        encoded("nothing"),
        encoded("2026-01-01 a"),
        encoded("2026-01-01T00:00:00 a"),
        encoded("2026-01-01T00:00:00+00:00 a b"),
        encoded("2026-01-01T00:00:00+00:00 a\0"),
        encoded("0001-01-01T00:00:00+23:59 a"),
        encoded("9999-12-31T23:59:59-23:59 a"),
        base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
    ],
    ids=lambda cursor: repr(cursor[:30]),
)
async def test_a_malformed_cursor_is_400(browser: Browser, cursor: str) -> None:
    answer = await browser.call("GET", f"/api/streams?cursor={quote(cursor)}")
    answer.problem("invalid_cursor")


# --- filters ----------------------------------------------------------------------------


async def test_filters_by_status_and_block_type_narrow_it_down(browser: Browser) -> None:
    await put(browser, "cancelled tale")
    await put(browser, "queued tale", status="queued")
    await put(browser, "cancelled quiz", block_type="quiz")
    assert await prompts(browser, status="queued") == ["queued tale"]
    assert await prompts(browser, block_type="quiz") == ["cancelled quiz"]
    assert await prompts(browser, block_type="quiz", status="queued") == []
    assert await prompts(browser, status="complete") == []
    assert await prompts(browser, block_type="no such block") == []


async def test_q_finds_a_part_of_the_prompt_or_the_text_whatever_its_case(
    browser: Browser,
) -> None:
    await put(browser, "Why is the sky blue?")
    await put(browser, "Something else", text="It is the SKY.")
    await put(browser, "100 % sure_")
    assert sorted(await prompts(browser, q="sky")) == ["Something else", "Why is the sky blue?"]
    assert await prompts(browser, q="BLUE?") == ["Why is the sky blue?"]
    assert await prompts(browser, q="0 % s") == ["100 % sure_"]
    assert await prompts(browser, q="w%y") == []  # not a pattern
    assert await prompts(browser, q="_hy") == []
    assert await prompts(browser, q="' OR 1=1 --") == []


async def test_filters_hold_on_every_page(browser: Browser) -> None:
    for number in range(6):
        await put(
            browser,
            str(number),
            block_type="quiz" if number % 2 else "tale",
            created_at=NOON + timedelta(seconds=number),
        )
    first = await page(browser, limit=2, block_type="quiz")
    rest = await page(browser, limit=2, block_type="quiz", cursor=first["next"])
    assert [stream["prompt"] for stream in first["results"] + rest["results"]] == ["5", "3", "1"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("status=COMPLETE", "status"),
        ("q=a%00b", "q"),
        ("block_type=%00", "block_type"),
        (f"q={'a' * 60_000}", "q"),
        ("owner=user:1", "owner"),
        ("offset=2", "offset"),
    ],
    ids=lambda text: text[:20],
)
async def test_a_wrong_filter_is_400_and_named(browser: Browser, query: str, field: str) -> None:
    answer = await browser.call("GET", f"/api/streams?{query}")
    answer.problem("invalid_input", field=field)


# --- removal ---------------------------------------------------------------------------


async def test_a_stream_known_only_from_its_row_can_be_deleted(browser: Browser) -> None:
    stream_id = await put(browser, "old")
    validate_stream_document(await browser.resource(stream_id))
    answer = await browser.call("DELETE", f"/api/streams/{stream_id}")
    assert (answer.status, answer.body) == (204, b"")
    assert await prompts(browser) == []
    assert not await Stream.objects.filter(pk=stream_id).aexists()


async def test_only_the_one_that_is_named_is_deleted(browser: Browser) -> None:
    gone, kept = await put(browser, "gone"), await put(browser, "kept")
    assert (await browser.call("DELETE", f"/api/streams/{gone}")).status == 204
    assert await prompts(browser) == ["kept"]
    assert (await browser.resource(kept))["status"] == "cancelled"


async def test_what_is_watched_while_it_is_deleted_was_whole(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    reader = await browser.start()
    await reader.end()
    second = await browser.watch(reader.stream_id)
    assert (await browser.call("DELETE", f"/api/streams/{reader.stream_id}")).status == 204
    assert (await second.end())["type"] == "complete"
    assert second.tape.text == "Hello"


async def test_a_page_of_long_answers_is_bounded_in_size_and_none_is_lost(
    browser: Browser,
) -> None:
    for number in range(5):
        at = NOON + timedelta(hours=number)
        await put(browser, f"{number}", text="x" * 200_000, created_at=at)
    first = await page(browser, limit=100)
    assert [row["prompt"] for row in first["results"]] == ["4", "3", "2"]
    rest = await page(browser, limit=100, cursor=first["next"])
    assert [row["prompt"] for row in rest["results"]] == ["1", "0"]
    assert rest["next"] is None


async def test_a_single_answer_longer_than_a_page_is_a_page(browser: Browser) -> None:
    for number in range(2):
        at = NOON + timedelta(hours=number)
        await put(browser, f"{number}", text="x" * 600_000, created_at=at)
    first = await page(browser)
    assert [row["prompt"] for row in first["results"]] == ["1"]
    assert first["next"] is not None
