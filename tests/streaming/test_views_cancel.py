"""Cancelling and deleting streams over HTTP. Source: spec.md, "HTTP"."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from blocks.models import BlockType
from streaming import stream_manager
from streaming.database.housekeeping import clear_intents
from streaming.models import CancelIntent, Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.schema import validate
from tests.support.streaming.asking import ended_stream, new_request_id
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.viewing import hold_end

# --- cancel --------------------------------------------------------------------------------


async def test_a_cancel_stops_the_provider_and_answers_with_the_end(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    reader = await browser.start()
    await reader.text("The ")
    stream = await browser.cancel(reader.stream_id)
    assert (stream["status"], stream["text"]) == ("cancelled", "The ")
    assert stream["error"] is None
    terminal = await reader.end()
    assert (terminal["type"], terminal["by"]) == ("cancelled", "owner")
    assert stream["seq"] == terminal["seq"]
    assert (provider.calls_open, provider.closed_early) == (0, 1)


async def test_a_cancel_before_the_first_token_closes_the_provider(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play({"hang": True})
    stream = await browser.start_unwatched()
    await provider.until(lambda p: p.calls_open == 1)
    cancelled = await browser.cancel(stream["stream_id"])
    assert (cancelled["status"], cancelled["seq"]) == ("cancelled", 0)
    assert provider.calls_open == 0


async def test_a_cancel_is_idempotent(browser: Browser, block: BlockType, play: Play) -> None:
    play("The ", {"hang": True})
    reader = await browser.start()
    first = await browser.cancel(reader.stream_id)
    assert await browser.cancel(reader.stream_id) == first
    many = await asyncio.gather(*(browser.cancel(reader.stream_id) for _ in range(5)))
    assert many == [first] * 5


async def test_a_cancel_of_an_ended_stream_answers_with_its_end(
    browser: Browser, block: BlockType, play: Play
) -> None:
    reader = await ended_stream(browser, play)
    assert (await browser.cancel(reader.stream_id))["status"] == "complete"


async def test_a_cancel_by_request_id_stops_the_stream_that_it_started(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    request_id = new_request_id()
    reader = await browser.start(request_id=request_id)
    answer = await browser.call("POST", "/api/streams/cancel", {"request_id": request_id})
    stream = answer.stream()
    assert (stream["stream_id"], stream["status"]) == (reader.stream_id, "cancelled")


async def test_a_cancel_before_its_start_is_remembered_and_calls_no_provider(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    request_id = new_request_id()
    answer = await browser.call("POST", "/api/streams/cancel", {"request_id": request_id})
    assert answer.status == 200
    assert answer.json() == {"request_id": request_id, "stream_id": None, "status": "cancelled"}
    reader = await browser.start(request_id=request_id)
    terminal = await reader.end()
    assert reader.tape.types == ["start", "cancelled"]
    assert (terminal["seq"], terminal["by"]) == (0, "owner")
    assert provider.calls_started == 0
    row = await Stream.objects.aget()
    assert (row.status, row.terminal) == ("cancelled", terminal)
    assert row.ended_at is not None
    again = await browser.start(request_id=request_id)
    assert await again.end() == terminal
    await browser.resource(reader.stream_id)


@pytest.mark.parametrize("has_session", [True, False])
async def test_a_remembered_cancel_is_answered_with_its_request_id_in_lower_case(
    browser: Browser, block: BlockType, play: Play, has_session: bool
) -> None:
    provider = play("Hello")
    request_id = new_request_id()
    asking = browser if has_session else Browser()
    answer = await asking.call("POST", "/api/streams/cancel", {"request_id": request_id.upper()})
    assert answer.status == 200
    assert answer.json()["request_id"] == request_id
    validate("cancel_remembered", answer.json())
    if has_session:  # and it holds for a start in either case
        assert (await (await browser.start(request_id=request_id)).end())["type"] == "cancelled"
        assert provider.calls_started == 0


async def test_a_request_id_is_told_in_lower_case_wherever_it_is_told(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    socket = await browser.connect()
    request_id = new_request_id()
    shouted = {"request_id": request_id.upper()}
    reader = await browser.start(**shouted)
    path = f"{START}?prompt=Why%3F&request_id={shouted['request_id']}"
    again = await browser.events("GET", path)
    assert again.stream_id == reader.stream_id
    later = await browser.connect()
    by_json = await browser.post_json(START, {"prompt": "Why?", **shouted})
    history = (await browser.call("GET", "/api/streams")).json()["results"]
    cancelled = await browser.post_json("/api/streams/cancel", shouted)
    told = [
        reader.tape.events[0],
        again.tape.events[0],
        await socket.until("start"),
        later.hello["active"][0],
        by_json.stream(),
        history[0],
        await browser.resource(reader.stream_id),
        cancelled.stream(),
    ]
    assert [each["request_id"] for each in told] == [request_id] * len(told)


async def test_a_remembered_cancel_is_forgotten_after_a_minute(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    request_id = new_request_id()
    await browser.call("POST", "/api/streams/cancel", {"request_id": request_id})
    await CancelIntent.objects.aupdate(created_at=timezone.now() - timedelta(seconds=61))
    assert (await (await browser.start(request_id=request_id)).end())["type"] == "complete"
    await sync_to_async(clear_intents)()
    assert await CancelIntent.objects.acount() == 0


async def test_a_remembered_cancel_is_its_owners_alone(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    request_id = new_request_id()
    stranger = await make_browser()
    await stranger.call("POST", "/api/streams/cancel", {"request_id": request_id})
    assert (await (await browser.start(request_id=request_id)).end())["type"] == "complete"


@pytest.mark.parametrize(
    "data", [{}, {"request_id": "x"}, {"request_id": None}, {"request_id": 5}, {"stream_id": "a"}]
)
async def test_a_cancel_without_a_request_id_is_400(browser: Browser, data: Any) -> None:
    answer = await browser.call("POST", "/api/streams/cancel", data)
    answer.problem("invalid_input", field="request_id")


async def test_a_cancel_whose_end_is_not_seen_in_time_is_503_and_carried_out_later(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_manager, "CANCEL_WAITS_SECONDS", 0.05)
    play("The ", {"hang": True})
    reader = await browser.start()
    await reader.text("The ")
    released = hold_end(process, reader.stream_id, monkeypatch)
    answer = await browser.call("POST", f"/api/streams/{reader.stream_id}/cancel")
    answer.problem("store_unavailable")
    assert (await process.log.status(reader.stream_id)).cancel_intent == "owner"
    released.set()
    assert (await reader.end())["type"] == "cancelled"


# --- delete ----------------------------------------------------------------------------------


async def test_an_ended_stream_can_be_deleted_once(
    browser: Browser, block: BlockType, play: Play
) -> None:
    reader = await ended_stream(browser, play)
    path = f"/api/streams/{reader.stream_id}"
    answer = await browser.call("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    for method, gone in [("DELETE", path), ("GET", path), ("GET", f"{path}/events")]:
        (await browser.call(method, gone)).problem("not_found")
    assert (await browser.call("GET", "/api/streams")).json()["results"] == []


async def test_a_running_stream_cannot_be_deleted(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    reader = await browser.start()
    await reader.text("The ")
    path = f"/api/streams/{reader.stream_id}"
    (await browser.call("DELETE", path)).problem("still_running")
    await browser.cancel(reader.stream_id)
    assert (await browser.call("DELETE", path)).status == 204
