"""One switch stops everything: what runs is cancelled, starts are refused, and off restores all.

Source: spec.md, "Switches".
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from blocks.models import BlockType
from streaming.models import Stream, StreamingSettings
from streaming.process import Process
from streaming.switches import RETRY_SECONDS_AT_MOST, read_switches
from tests.conftest import MODEL, MakeBlock, Play
from tests.support.streaming.admin import put
from tests.support.streaming.asking import ask, new_request_id, refusal
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.redis_logs import eventually

ASKED = {"prompt": "Why?"}


async def set_paused(paused: bool = True, **values: Any) -> None:
    """Save the row, as the admin does. The process follows it by itself, twice a second."""
    await StreamingSettings(paused=paused, **values).asave()


async def until_followed(process: Process, *, paused: bool) -> None:
    """Wait until the process knows the switch."""
    is_told = asyncio.Event()

    def look(_: object = None) -> None:
        if process.switches.paused is paused:
            is_told.set()

    process.on_switches.add(look)
    look()
    async with asyncio.timeout(10):
        await is_told.wait()
    process.on_switches.discard(look)


async def test_it_cancels_what_runs_refuses_starts_on_every_call_and_off_restores_all(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    provider = play("The ", {"hang": True})
    watched = await browser.start()
    await watched.text("The ")
    socket = await browser.connect("/ws/stream?follow=none")
    idle = await browser.connect("/ws/stream?follow=none")
    on_socket = await ask(socket)
    request_id = new_request_id()
    kept = await browser.start_unwatched(request_id=request_id)
    await set_paused()
    ends = [await watched.end(), (await socket.end_of(on_socket))]
    assert [(end["type"], end["by"]) for end in ends] == [("cancelled", "admin")] * 2
    assert provider.calls_open == 0
    assert (await idle.until("settings"))["streaming"]["paused"] is True

    count = await Stream.objects.acount()
    for answer in (
        await browser.post_json(START, ASKED),
        await browser.post_json(f"{START}?wait=1", ASKED),
        await browser.call("POST", START, ASKED, headers={"Accept": "text/event-stream"}),
        await browser.call("GET", f"{START}?prompt=Why%3F"),
    ):
        problem = answer.problem("paused")
        assert "retry-after" not in answer.headers  # nobody said until when
        assert problem["detail"]
    refused = await refusal(socket, type="start", ref="x", block_type="tale", **ASKED)
    assert (refused["code"], refused.get("retry_after_ms")) == ("paused", None)
    assert await Stream.objects.acount() == count
    # What was answered can be read, and a repeated start finds its stream.
    again = await browser.post_json(START, {**ASKED, "request_id": request_id})
    assert again.stream(200)["stream_id"] == kept["stream_id"]
    assert (await browser.resource(watched.stream_id))["text"] == "The "
    assert (await browser.call("GET", "/api/streams")).status == 200

    play("Hello")
    await set_paused(False)
    await until_followed(process, paused=False)
    assert (await (await browser.start()).end())["type"] == "complete"
    await socket.end_of(await ask(socket))


async def test_a_start_that_was_admitted_just_before_does_not_run(
    browser: Browser,
    make_block: MakeBlock,
    play: Play,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await make_block(on_generator_lost="fail")
    provider = play("The ", {"hang": True})
    is_admitted, may_go_on = asyncio.Event(), asyncio.Event()
    count = process.rates.count

    async def hold(*args: Any) -> None:
        """The row is there already, the generation not yet."""
        is_admitted.set()
        await may_go_on.wait()
        await count(*args)

    monkeypatch.setattr(process.rates, "count", hold)
    starting = asyncio.ensure_future(browser.start())
    await is_admitted.wait()
    await set_paused()
    await until_followed(process, paused=True)
    may_go_on.set()
    end = await (await starting).end()
    assert (end["type"], end["by"]) == ("cancelled", "admin")
    assert provider.calls_started == 0


async def test_a_stream_that_a_dead_process_or_a_queue_has_left_is_ended_and_not_continued(
    block: BlockType, play: Play, process: Process
) -> None:
    provider = play("Hello")
    await set_paused()
    await until_followed(process, paused=True)
    left = await sync_to_async(put)(status="queued", ended_at=None, seq=-1, model=MODEL)
    await process.recovery.take_over(left.pk)
    rows = Stream.objects.filter(pk=left.pk, ended_at__isnull=False)
    await eventually(rows.aexists)
    assert (await rows.aget()).terminal["by"] == "admin"
    assert provider.calls_started == 0


@pytest.mark.parametrize(
    ("ahead", "seconds"),
    [
        (timedelta(minutes=5), 300),
        (timedelta(days=30), RETRY_SECONDS_AT_MOST),
        (timedelta(minutes=-5), None),  # it takes longer than was said
    ],
)
async def test_a_refusal_says_when_to_come_back_if_that_is_known(
    browser: Browser, block: BlockType, process: Process, ahead: timedelta, seconds: float | None
) -> None:
    await set_paused(message_until=timezone.now() + ahead)
    await until_followed(process, paused=True)
    answer = await browser.post_json(START, ASKED)
    answer.problem("paused")
    told = answer.headers.get("retry-after")
    if seconds is None:
        assert told is None
    else:
        assert told is not None
        assert seconds - 60 < int(told) <= seconds


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [
        (None, None, True),
        (-1, None, True),
        (None, 1, True),
        (-1, 1, True),
        (1, None, False),
        (None, -1, False),
        (-2, -1, False),
        (1, 2, False),
    ],
)
def test_a_notice_is_shown_within_its_window_only(
    begin: int | None, end: int | None, shown: bool
) -> None:
    def in_hours(hours: int | None) -> Any:
        return None if hours is None else timezone.now() + timedelta(hours=hours)

    StreamingSettings(
        message="Back soon.", message_from=in_hours(begin), message_until=in_hours(end)
    ).save()
    assert read_switches().message == ("Back soon." if shown else "")


async def test_a_notice_appears_on_open_sockets_when_its_window_opens(
    browser: Browser, process: Process
) -> None:
    socket = await browser.connect()
    opens = timezone.now() + timedelta(seconds=1)
    await StreamingSettings(message="Back soon.", message_from=opens).asave()
    told = await socket.until("settings")
    assert told["streaming"]["message"] == "Back soon."
    assert timezone.now() >= opens
