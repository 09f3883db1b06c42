"""Starts on a full server: they wait in line, are told their place, and can be stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User

from blocks.providers.scripted import ScriptedProvider
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, StartProcess, scripted
from tests.support.streaming.browser import Browser

pytestmark = pytest.mark.usefixtures("block")


async def full(start_process: StartProcess, provider: ScriptedProvider, **changes: Any) -> Process:
    """Start a process with one place, and room for two in line."""
    settings = {"STREAM_MAX_RUNNING": 1, "STREAM_MAX_WAITING": 2, "STREAM_WAIT_SECONDS": 60.0}
    process = await start_process(**settings | changes)
    process.providers.use(MODEL, provider)
    return process


async def begun(browser: Browser, provider: ScriptedProvider) -> str:
    """Start the stream that takes the only place; return its id when its provider is called."""
    stream_id: str = (await browser.start_unwatched())["stream_id"]
    await provider.until(lambda provider: provider.calls_open == 1)
    return stream_id


async def test_starts_beyond_the_places_wait_are_told_their_place_and_run_in_turn(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    process = await full(start_process, hangs)
    ada, bob, eve, kim = [await make_browser() for _ in range(4)]
    running = await begun(ada, hangs)
    second = await bob.start()
    assert (await second.next() or {})["status"] == "queued"
    assert (await second.until("queue"))["place"] == 1
    socket = await eve.connect()
    await socket.say(type="start", ref="r", block_type="tale", prompt="Why?")
    third = (await socket.until("start", ref="r"))["stream_id"]
    assert (await socket.until("queue"))["place"] == 2
    assert (await eve.resource(third))["status"] == "queued"
    refused = await kim.post_json("/api/stream/ai-block/tale", {"prompt": "Why?"})
    refused.problem("over_capacity")
    assert int(refused.headers["retry-after"]) >= 1
    assert hangs.calls_started == 1
    await ada.cancel(running)
    await second.text("The ")
    assert (await socket.until("queue"))["place"] == 1
    late = await eve.watch(third)
    assert (await late.until("queue"))["place"] == 1
    assert (await bob.cancel(second.stream_id))["status"] == "cancelled"
    await socket.until("chunk")
    assert hangs.calls_started == 3
    await eve.cancel(third)
    assert len(process.generations) == 0


async def test_a_waiting_stream_can_be_stopped_and_calls_no_provider(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    await full(start_process, hangs)
    ada, bob = await make_browser(), await make_browser()
    running = await begun(ada, hangs)
    waiting = await bob.start()
    await waiting.until("queue")
    document = await bob.cancel(waiting.stream_id)
    assert (document["status"], document["started_at"]) == ("cancelled", None)
    assert (await waiting.end())["by"] == "owner"
    await ada.cancel(running)
    assert hangs.calls_started == 1
    again = await bob.start()
    await again.text("The ")
    await bob.cancel(again.stream_id)


async def test_a_wait_has_an_end_with_a_code(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    await full(start_process, hangs, STREAM_WAIT_SECONDS=0.05)
    ada, bob = await make_browser(), await make_browser()
    await begun(ada, hangs)
    end = await (await bob.start()).end()
    assert (end["type"], end["code"], end["retryable"]) == ("error", "over_capacity", True)
    assert hangs.calls_started == 1


async def test_an_owners_own_limit_refuses_at_once_and_counts_the_waiting_ones(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    await full(start_process, hangs, LIMIT_RUNNING_PER_OWNER=1)
    ada, bob = await make_browser(), await make_browser()
    await begun(ada, hangs)
    await (await bob.start()).until("queue")
    refused = await bob.post_json("/api/stream/ai-block/tale", {"prompt": "Why?"})
    refused.problem("too_many_streams")


async def test_a_drain_hands_the_line_over_at_once_and_lets_the_running_ones_end(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    process = await full(start_process, hangs, STREAM_DRAIN_SECONDS=60.0)
    ada, bob = await make_browser(), await make_browser()
    running = await begun(ada, hangs)
    waiting = await bob.start()
    await waiting.until("queue")
    draining = asyncio.ensure_future(process.manager.drain())
    generation = process.generations.find(waiting.stream_id)
    assert generation is not None
    async with asyncio.timeout(10):
        await generation.has_ended.wait()
    row = await Stream.objects.aget(pk=waiting.stream_id)
    assert (row.ended_at, row.started_at) == (None, None)
    assert running in process.generations
    process.generations.cancel(running, "admin")
    await draining


async def test_a_visitor_who_signs_in_while_waiting_gets_a_users_place(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    process = await full(
        start_process, hangs, STREAM_MAX_RUNNING=2, STREAM_MAX_WAITING=4, LIMIT_ANONYMOUS_SHARE=50
    )
    ada, bob = await make_browser(), await make_browser()
    await begun(ada, hangs)
    waiting = await bob.start()
    await waiting.until("queue")
    user = await User.objects.acreate(username="bob")
    generation = process.generations.find(waiting.stream_id)
    assert generation is not None
    generation.sign_in(f"user:{user.pk}", user.pk)
    await waiting.text("The ")


async def test_one_address_that_starts_all_it_can_keeps_nobody_else_out(
    start_process: StartProcess, make_browser: Any
) -> None:
    hangs = scripted("The ", {"hang": True})
    places = {"STREAM_MAX_RUNNING": 4, "STREAM_MAX_WAITING": 20}
    shares = {"LIMIT_ANONYMOUS_SHARE": 75, "LIMIT_ANONYMOUS_SHARE_PER_ADDRESS": 75}
    process = await full(start_process, hangs, **places, **shares)
    crowd = [await make_browser(address="203.0.113.7") for _ in range(18)]
    calls = [each.post_json("/api/stream/ai-block/tale", {"prompt": "Why?"}) for each in crowd]
    answers = await asyncio.gather(*calls)
    started = {
        answer.json()["stream_id"]: browser
        for browser, answer in zip(crowd, answers, strict=True)
        if answer.status == 201
    }
    assert len(started) == 13
    refused = next(answer for answer in answers if answer.status != 201)
    assert "of your network" in refused.problem("over_capacity")["detail"]
    await hangs.until(lambda provider: provider.calls_open == 2)
    assert process.generations.waiting == 11
    at_once = await (await make_browser(address="198.51.100.4")).start()
    await at_once.text("The ")
    waits = await (await make_browser(address="198.51.100.9")).start()
    assert (await waits.until("queue"))["place"] == 2
    for _ in range(2):  # after one of the crowd at most
        running = next(each for each in process.generations.all() if each.row.started_at)
        await started.pop(running.stream_id).cancel(running.stream_id)
    await waits.text("The ")
    ada = await make_browser("ada", address="203.0.113.7")
    await (await ada.start()).text("The ")
