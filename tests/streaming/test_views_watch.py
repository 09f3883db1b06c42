"""Watching streams over HTTP, and who sees them. Source: spec.md, "HTTP", "Resume"."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote

import pytest

from blocks.models import BlockType
from streaming.database.thread import QUERIES_AT_MOST
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.asking import NO_STREAM, ended_stream
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.event_reader import EventReader
from tests.support.streaming.tape import Tape

# --- after a cursor --------------------------------------------------------------------


async def test_a_watch_from_the_start_gets_everything(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await ended_stream(browser, play)
    second = await browser.watch(first.stream_id)
    await second.end()
    assert second.tape.types[1:] == first.tape.types[1:]


@pytest.mark.parametrize("after", [-1, 0, 1])
@pytest.mark.parametrize("how", ["after", "last_event_id", "both"])
async def test_a_watch_goes_on_after_any_cursor(
    browser: Browser, block: BlockType, play: Play, how: str, after: int
) -> None:
    first = await ended_stream(browser, play)
    path = f"/api/streams/{first.stream_id}/events"
    headers = {"Last-Event-ID": f"{first.stream_id}:{after}"} if how != "after" else {}
    query = {"after": f"?after={after}", "last_event_id": "", "both": "?after=-1"}[how]
    reader = await browser.events("GET", path + query, headers=headers)
    await reader.end()
    assert reader.tape.events[0]["after"] == after
    assert [event["seq"] for event in reader.tape.events[1:]] == list(range(after + 1, 3))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_start_call_with_last_event_id_goes_on_with_the_same_stream(
    browser: Browser, block: BlockType, model: DictatedProvider, method: str
) -> None:
    model.say("The ")
    data = [{"prompt": "Why?"}] if method == "POST" else []
    path = START if method == "POST" else f"{START}?prompt=Why%3F"
    first = await browser.events(method, path, *data)
    await first.text("The ")
    await first.aclose()
    second = await browser.events(
        method, path, *data, headers={"Last-Event-ID": first.sse.last_event_id}
    )
    model.say("sky", ".")
    model.finish()
    await second.end()
    assert second.stream_id == first.stream_id
    assert first.tape.text + second.tape.text == "The sky."
    assert len(model.requests) == 1


async def test_a_line_lost_before_the_first_token_is_taken_up_again(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    first = await browser.events("GET", f"{START}?prompt=Why")
    await first.next()
    await first.aclose()
    second = await browser.events(
        "GET", f"{START}?prompt=Why", headers={"Last-Event-ID": first.sse.last_event_id}
    )
    model.say("Hello")
    model.finish()
    await second.end()
    assert second.stream_id == first.stream_id
    assert second.tape.text == "Hello"
    assert len(model.requests) == 1


async def test_a_herd_of_viewers_waits_for_a_slow_database(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    """As after a restart. An `EventSource` that is refused does not come back."""
    first = await ended_stream(browser, play)
    held = asyncio.create_task(process.writes.run(time.sleep, 2))
    path, cursor = f"/api/streams/{first.stream_id}/events", f"{first.stream_id}:2"
    calls = [
        asyncio.create_task(browser.call("GET", path, headers={"Last-Event-ID": cursor}))
        for _ in range(3 * QUERIES_AT_MOST)
    ]
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*calls)
        await held
    assert {answer.status for answer in answers} == {204}


@pytest.mark.parametrize("how", ["watch", "get", "post"])
async def test_the_terminals_own_cursor_is_204_and_starts_nothing(
    browser: Browser, block: BlockType, play: Play, how: str
) -> None:
    first = await ended_stream(browser, play)
    await assert_status_after(browser, first, f"{first.stream_id}:2", how, 204)


@pytest.mark.parametrize("how", ["watch", "get", "post"])
@pytest.mark.parametrize(
    "cursor", ["{id}:3", "{id}:4000000000", "{id}", "{id}:", "{id}:x", "{id}:-2", "{id}:01", "x:1"]
)
async def test_a_cursor_beyond_the_end_or_malformed_is_400_and_starts_nothing(
    browser: Browser, block: BlockType, play: Play, how: str, cursor: str
) -> None:
    first = await ended_stream(browser, play)
    answer = await assert_status_after(
        browser, first, cursor.replace("{id}", first.stream_id), how, 400
    )
    answer.problem("invalid_cursor")


async def assert_status_after(
    browser: Browser, first: EventReader, cursor: str, how: str, status: int
) -> Any:
    path = {
        "watch": f"/api/streams/{first.stream_id}/events",
        "get": f"{START}?prompt=Why",
        "post": START,
    }[how]
    data = [{"prompt": "Why?"}] if how == "post" else []
    method = "POST" if how == "post" else "GET"
    answer = await browser.call(method, path, *data, headers={"Last-Event-ID": cursor})
    assert answer.status == status, answer
    assert await Stream.objects.acount() == 1
    return answer


@pytest.mark.parametrize("after", ["x", "", "-2", "01", "1.0", "99999999999", "٣"])
async def test_a_malformed_after_is_400(
    browser: Browser, block: BlockType, play: Play, after: str
) -> None:
    first = await ended_stream(browser, play)
    path = f"/api/streams/{first.stream_id}/events?after={quote(after)}"
    (await browser.call("GET", path)).problem("invalid_cursor")


async def test_a_cursor_of_another_stream_is_400(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await ended_stream(browser, play)
    path = f"/api/streams/{first.stream_id}/events"
    answer = await browser.call("GET", path, headers={"Last-Event-ID": f"{NO_STREAM}:0"})
    answer.problem("invalid_cursor")


async def test_a_cursor_beyond_a_running_stream_gets_a_snapshot_that_says_where_it_is(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    model.say("The ")
    first = await browser.start()
    await first.text("The ")
    second = await browser.watch(first.stream_id, after=500)
    snapshot = await second.until("snapshot")
    assert (snapshot["text"], snapshot["seq"]) == ("The ", 0)
    model.say("sky.")
    model.finish()
    await second.end()
    assert second.tape.text == "The sky."


async def test_a_stream_known_from_its_row_alone_is_a_snapshot_and_its_end(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    first = await ended_stream(browser, play)
    await process.log.forget(first.stream_id)
    process.hub.forget(first.stream_id)
    second = await browser.watch(first.stream_id)
    terminal = await second.end()
    assert second.tape.types == ["start", "snapshot", "complete"]
    assert second.tape.text == "The sky."
    assert terminal == first.tape.terminal
    third = await browser.watch(first.stream_id, after=terminal["seq"] - 1)
    assert await third.end() == terminal
    assert third.tape.types == ["start", "complete"]


async def test_ten_viewers_and_one_that_leaves_get_what_one_would(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play({"tokens": [f"{number} " for number in range(40)], "every_ms": 2})
    first = await browser.start()
    others = [await browser.watch(first.stream_id) for _ in range(10)]
    await others[0].next()
    await others[0].aclose()
    await asyncio.gather(first.end(), *(other.end() for other in others[1:]))
    assert {other.tape.text for other in others[1:]} == {first.tape.text}
    assert first.tape.text.split() == [str(number) for number in range(40)]
    assert provider.calls_started == 1


async def test_a_viewer_far_behind_gets_neighbouring_chunks_as_one(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"repeat": 500, "steps": ["ab "]})
    first = await browser.start()
    await first.end()
    second = await browser.watch(first.stream_id)
    await second.end()
    assert second.tape.types == ["start", "chunk", "complete"]
    assert second.tape.events[1]["first_seq"] == 0
    assert second.tape.text == "ab " * 500


async def test_a_stream_whose_client_went_away_goes_on_to_its_end(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    model.say("The ")
    first = await browser.start()
    await first.text("The ")
    await first.aclose()
    model.say("sky.")
    model.finish()
    second = await browser.watch(first.stream_id)
    assert (await second.end())["type"] == "complete"
    assert second.tape.text == "The sky."


# --- resume: every cut point ------------------------------------------------------------------


async def test_what_came_before_any_cut_plus_the_rest_is_the_whole(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky ", "is ", "blue.")
    whole = await browser.start()
    await whole.end()
    for cut in range(-1, 4):
        tape = Tape()
        for event in whole.tape.events[: cut + 2]:
            tape.take(event)
        tape.begin_again()
        rest = await browser.events(
            "GET",
            f"/api/streams/{whole.stream_id}/events",
            headers={"Last-Event-ID": f"{whole.stream_id}:{cut}"},
            tape=tape,
        )
        await rest.end()
        told = [event for event in tape.events if event["type"] != "start"]
        assert told == whole.tape.events[1:]


# --- ownership --------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [None, "ada"])
@pytest.mark.parametrize("stranger", [None, "bob"])
@pytest.mark.parametrize("is_running", [True, False])
async def test_somebody_elses_stream_is_404_everywhere(
    process: Process,
    block: BlockType,
    play: Play,
    make_browser: Any,
    owner: str | None,
    stranger: str | None,
    is_running: bool,
) -> None:
    play("The ", *([{"hang": True}] if is_running else []))
    mine = await make_browser(owner)
    reader = await mine.start()
    await reader.text("The ")
    if not is_running:
        await reader.end()
    other = await make_browser(stranger)
    path = f"/api/streams/{reader.stream_id}"
    for method, call, headers in [
        ("GET", path, None),
        ("DELETE", path, None),
        ("GET", f"{path}/events", None),
        ("POST", f"{path}/cancel", None),
        ("GET", f"{START}?prompt=Why", {"Last-Event-ID": f"{reader.stream_id}:0"}),
    ]:
        (await other.call(method, call, headers=headers)).problem("not_found")
    assert (await other.call("GET", "/api/streams")).json()["results"] == []
    assert (await mine.resource(reader.stream_id))["status"] in ("running", "complete")
    if is_running:
        await mine.cancel(reader.stream_id)


@pytest.mark.parametrize("stream_id", [NO_STREAM, "x", "A" * 23, "%00", "A" * 2000, "ä" * 22])
async def test_a_stream_that_was_never_there_is_404(browser: Browser, stream_id: str) -> None:
    path = f"/api/streams/{quote(stream_id, safe='%')}"
    for method, call in [
        ("GET", path),
        ("DELETE", path),
        ("GET", f"{path}/events"),
        ("POST", f"{path}/cancel"),
    ]:
        (await browser.call(method, call)).problem("not_found")


async def test_a_users_streams_are_seen_from_every_session_of_theirs(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    reader = await ended_stream(await make_browser("ada"), play)
    elsewhere = await make_browser("ada")
    assert (await elsewhere.resource(reader.stream_id))["status"] == "complete"
