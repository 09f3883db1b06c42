"""A turn of a chat again: repeated, made anew, edited, resumed, stopped.

Source: spec.md, "Dialects".
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from blocks.models import BlockType
from streaming.dialects.ask import request_id_of
from streaming.models import Stream
from tests.conftest import Play
from tests.support.streaming.browser import Browser
from tests.support.streaming.dialect_calls import CHAT, RUN, chat, run, running_stream
from tests.support.streaming.dialects import data_in


async def test_a_repeated_start_finds_its_stream_and_a_regenerate_makes_another(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    first = await browser.call("POST", CHAT, chat())
    again = await browser.call("POST", CHAT, chat())
    assert data_in(again.body)[0] == data_in(first.body)[0]
    assert provider.calls_started == 1
    body = chat(trigger="regenerate-message", messageId=data_in(first.body)[0]["messageId"])
    other = await browser.call("POST", CHAT, body)
    assert data_in(other.body)[0] != data_in(first.body)[0]
    (await browser.call("POST", CHAT, chat("Else?"))).problem("request_conflict")
    run_body = run()
    runs = [data_in((await browser.call("POST", RUN, run_body)).body) for _ in range(2)]
    message_ids = {event["messageId"] for events in runs for event in events[1:-1]}
    assert len(message_ids) == 1
    assert provider.calls_started == 3


async def test_an_edited_message_gets_its_own_answer_and_the_same_one_again(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    bodies = [
        chat(),
        chat(messageId="m1"),  # sent again, unchanged
        *[chat("Else?", messageId="m1")] * 2,
        chat("Else again?", messageId="m1"),
    ]
    answers = [await browser.call("POST", CHAT, body) for body in bodies]
    ids = [data_in(answer.body)[0]["messageId"] for answer in answers]
    assert ids[0] == ids[1] and ids[2] == ids[3]
    assert len(set(ids)) == provider.calls_started == 3
    play("It begins. ", {"hang": True})
    watching = asyncio.create_task(browser.call("POST", CHAT, chat("And?", messageId="m1")))
    row = await running_stream(ended_at=None)
    stopped = await browser.call("POST", f"{CHAT}/c1/stop", {"messageId": "m1"})
    assert stopped.stream()["stream_id"] == row.id
    await watching


@pytest.mark.parametrize("named", [{}, {"messageId": "m1"}], ids=["nothing", "the question"])
async def test_each_regenerate_that_names_no_answer_makes_a_further_one(
    browser: Browser, block: BlockType, play: Play, named: Any
) -> None:
    provider = play("Hello")
    body = chat(trigger="regenerate-message", **named)
    answers = [await browser.call("POST", CHAT, each) for each in (chat(), body, body)]
    assert len({data_in(answer.body)[0]["messageId"] for answer in answers}) == 3
    play("It begins. ", {"hang": True})
    watching = [asyncio.create_task(browser.call("POST", CHAT, body)) for _ in range(2)]
    await running_stream(ended_at=None)
    assert (await browser.call("POST", f"{CHAT}/c1/stop")).stream()["status"] == "cancelled"
    held = [data_in((await each).body)[0] for each in watching]
    assert held[0] == held[1], "one that still runs is found again"
    assert await Stream.objects.acount() == 4
    assert provider.calls_started == 3


async def test_a_resume_replays_the_newest_answer_to_its_owner_alone(
    browser: Browser, make_browser: Any, block: BlockType, play: Play
) -> None:
    play("Hello")
    resume = f"{CHAT}/c1/stream"
    assert (await browser.call("GET", resume)).status == 204
    await browser.call("POST", CHAT, chat())
    second = data_in((await browser.call("POST", CHAT, chat(message="m2"))).body)
    resumed = await browser.call("GET", resume)
    assert data_in(resumed.body)[0] == second[0]
    assert resumed.headers["x-vercel-ai-ui-message-stream"] == "v1"
    stranger = await make_browser("ada")
    assert (await stranger.call("GET", resume)).status == 204
    known, unknown = [
        await stranger.call("POST", f"{CHAT}/{chat_id}/stop") for chat_id in ("c1", "none")
    ]
    assert known.problem("not_found") == unknown.problem("not_found")
    for seconds, status in {30: 200, 90: 204}.items():  # it may be older than the last question
        ended_at = timezone.now() - timedelta(seconds=seconds)
        await Stream.objects.aupdate(ended_at=ended_at)
        assert (await browser.call("GET", resume)).status == status


async def test_a_stop_that_names_the_question_stops_a_regeneration_and_no_other_answer(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    await browser.call("POST", CHAT, chat())
    play("It begins. ", {"hang": True})
    again = chat(trigger="regenerate-message", messageId="a1")
    watching = [asyncio.create_task(browser.call("POST", CHAT, again))]
    row = await running_stream(ended_at=None)
    watching.append(asyncio.create_task(browser.call("POST", CHAT, chat(message="m2"))))
    other = await running_stream(request_id=request_id_of("ai-sdk", "tale", "c1", "m2"))
    for message, stream_id in {"m1": row.id, "m2": other.id}.items():
        stopped = await browser.call("POST", f"{CHAT}/c1/stop", {"messageId": message})
        assert (stopped.json()["stream_id"], stopped.json()["status"]) == (stream_id, "cancelled")
    await asyncio.gather(*watching)
