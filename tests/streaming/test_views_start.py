"""The HTTP calls that start a stream, and what a request_id makes of a second start.

Source: spec.md, "HTTP".
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.sse_reader import SseReader

# --- start ---------------------------------------------------------------------------


async def test_a_start_by_post_streams_the_answer_to_its_end(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    terminal = await reader.end()
    assert reader.tape.types == ["start", "chunk", "chunk", "complete"]
    assert reader.tape.text == "The sky."
    assert terminal["finish_reason"] == "stop"
    assert terminal["usage"] == {"input_tokens": 1, "output_tokens": 2}
    assert reader.sse.retry_ms == 1000


async def test_a_start_by_get_streams_the_same(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    tone = {"type": "object", "properties": {"words": {"type": "integer", "default": 9}}}
    await make_block(options_schema=tone)
    play("The ", "sky.")
    reader = await browser.events("GET", f"{START}?prompt=Why%3F&words=3")
    await reader.end()
    assert reader.tape.types == ["start", "chunk", "chunk", "complete"]
    resource = await browser.resource(reader.stream_id)
    assert resource["prompt"] == "Why?"
    assert resource["options"] == {"words": 3}


async def test_the_start_arrives_before_the_first_token(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"hang": True})
    reader = await browser.start()
    start = await reader.next()
    assert start is not None
    assert (start["type"], start["after"]) == ("start", -1)
    assert start["block_type"] == "tale"
    assert start["model"] == "x"
    assert reader.sse.last_event_id == f"{start['stream_id']}:-1"


async def test_json_first_answers_201_at_once_and_the_stream_can_be_watched_later(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    answer = await browser.call(
        "POST",
        START,
        {"prompt": "Why?"},
        headers={"Accept": "application/json, text/event-stream;q=0.5"},
    )
    stream = answer.stream(201)
    assert stream["status"] in ("queued", "running", "complete")
    reader = await browser.watch(stream["stream_id"])
    await reader.end()
    assert reader.tape.text == "Hello"


async def test_with_wait_it_answers_200_when_the_stream_has_ended(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello", {"pause_ms": 20}, " there")
    answer = await browser.post_json(f"{START}?wait=1", {"prompt": "Why?"})
    stream = answer.stream(200)
    assert (stream["status"], stream["text"]) == ("complete", "Hello there")


async def test_the_event_stream_is_the_answer_where_json_stands_second(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    reader = await browser.events(
        "POST", START, {"prompt": "Why?"}, headers={"Accept": "text/event-stream, application/json"}
    )
    assert (await reader.end())["type"] == "complete"


@pytest.mark.parametrize("accept", [None, "*/*", "text/html", "image/png"])
async def test_no_accept_header_gets_a_406(
    browser: Browser, block: BlockType, play: Play, accept: str | None
) -> None:
    play("Hello")
    reader = await browser.events("POST", START, {"prompt": "Why?"}, headers={"Accept": accept})
    assert (await reader.end())["type"] == "complete"


async def test_the_plain_path_of_djangos_own_client_streams_the_same(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    client = AsyncClient()
    response = await client.post(START, {"prompt": "Why?"}, content_type="application/json")
    reader = SseReader()
    async for part in response.streaming_content:  # type: ignore[attr-defined]
        reader.feed(part)
    assert [message.type for message in reader.messages] == ["start", "chunk", "chunk", "complete"]
    stream_id = reader.last_event_id.partition(":")[0]
    cancelled = await client.post(
        f"/api/streams/{stream_id}/cancel",
        headers={"X-CSRFToken": "no"},
    )
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "complete"


async def test_who_has_no_session_gets_one_from_the_start_and_goes_on_with_it(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    visitor = Browser()
    reader = await visitor.events("GET", f"{START}?prompt=Why", headers={"Sec-Fetch-Site": None})
    await reader.end()
    assert "sessionid" in visitor.cookies
    assert (await visitor.resource(reader.stream_id))["status"] == "complete"


async def test_one_browser_keeps_its_session_over_many_calls(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    before = browser.cookies["sessionid"]
    await (await browser.start()).end()
    await browser.call("GET", "/api/config")
    assert browser.cookies["sessionid"] == before


async def test_anonymous_starts_are_401_where_anonymous_use_is_off(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=False)
    visitor = await make_browser()
    paths = [("POST", START), ("GET", f"{START}?prompt=a"), ("GET", "/api/streams")]
    for method, path in paths:
        answer = await visitor.call(method, path, *([{"prompt": "a"}] if method == "POST" else []))
        answer.problem("not_authenticated")
    assert await Stream.objects.acount() == 0
    assert process.manager.running == 0


async def test_the_signed_in_may_start_where_anonymous_use_is_off(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=False)
    process.providers.use(MODEL, scripted("Hello"))
    ada = await make_browser("ada")
    reader = await ada.start()
    await reader.end()
    row = await Stream.objects.aget()
    assert row.owner == f"user:{row.user_id}"


# --- request_id ------------------------------------------------------------------------


async def test_the_same_start_twice_is_one_stream_from_its_beginning(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("The ", "sky.")
    request_id = new_request_id()
    first = await browser.start(request_id=request_id)
    await first.end()
    second = await browser.start(request_id=request_id.upper())
    await second.end()
    assert second.stream_id == first.stream_id
    assert second.tape.text == "The sky."
    assert second.tape.events[0]["request_id"] == request_id
    assert provider.calls_started == 1


async def test_the_same_start_by_json_again_is_200(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello", {"hang": True})
    data = {"prompt": "Why?", "request_id": new_request_id()}
    first = (await browser.post_json(START, data)).stream(201)
    again = (await browser.post_json(START, data)).stream(200)
    assert again["stream_id"] == first["stream_id"]


@pytest.mark.parametrize("other", [{"prompt": "How?"}, {"options": {"words": 2}}])
async def test_the_same_request_id_with_other_input_is_a_conflict(
    browser: Browser, make_block: MakeBlock, play: Play, other: dict[str, Any]
) -> None:
    await make_block(options_schema={"properties": {"words": {"type": "integer", "default": 1}}})
    provider = play("Hello")
    data = {"prompt": "Why?", "request_id": new_request_id()}
    (await browser.post_json(START, data)).stream(201)
    (await browser.post_json(START, data | other)).problem("request_conflict")
    (await browser.post_json(START, data | {"options": {"words": 1}})).stream(200)
    assert provider.calls_started == 1


async def test_the_same_request_id_of_another_owner_is_another_stream(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    provider = play("Hello")
    data = {"prompt": "Why?", "request_id": new_request_id()}
    mine = (await browser.post_json(f"{START}?wait=1", data)).stream(200)
    other = await make_browser()
    theirs = (await other.post_json(f"{START}?wait=1", data)).stream(200)
    assert mine["stream_id"] != theirs["stream_id"]
    assert provider.calls_started == 2


async def test_a_request_id_lives_as_long_as_its_streams_row(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    data = {"prompt": "Why?", "request_id": new_request_id()}
    first = (await browser.post_json(f"{START}?wait=1", data)).stream(200)
    assert (await browser.call("DELETE", f"/api/streams/{first['stream_id']}")).status == 204
    (await browser.post_json(f"{START}?wait=1", data)).stream(200)
    assert provider.calls_started == 2
