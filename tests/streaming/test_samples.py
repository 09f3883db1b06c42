"""A sample answer is an ordinary stream that asks no model.

Source: spec.md, "HTTP" (Samples).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from blocks import sample as samples
from blocks.models import BlockType
from blocks.providers.script import parse_script
from blocks.sample import Sample
from streaming import process as processes
from streaming.models import Stream
from tests.conftest import MakeBlock, StartProcess
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.browser import START, Browser

SAY = [{"text": "Written by hand, and replayed.", "every_ms": 10, "token_chars": 2}]
TALE = Sample("hand", "tale", "markdown", "Tale", "Who wrote this?", parse_script({"steps": SAY}))


@pytest.fixture(autouse=True)
def tale(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The block `tale` has one sample, `hand`."""
    settings.AI_SAMPLES = "always"
    monkeypatch.setattr(samples, "all_samples", lambda: (TALE,))


@pytest.fixture
async def browser(start_process: StartProcess, make_block: MakeBlock, make_browser: Any) -> Browser:
    # No such script exists: only a sample can be answered.
    await start_process(AI_MODEL="scripted:nothing")
    await make_block(model="")
    return await make_browser()


async def test_the_list_of_blocks_names_it(browser: Browser) -> None:
    listed = (await browser.call("GET", "/api/blocks")).json()["results"]
    [block] = [block for block in listed if block["slug"] == "tale"]
    assert block["samples"] == [{"name": "hand", "label": "Tale", "prompt": "Who wrote this?"}]


@pytest.mark.parametrize("way", ["post", "post with its prompt", "get", "json", "socket"])
async def test_every_way_to_start_replays_it(browser: Browser, way: str) -> None:
    if way == "socket":
        socket = await browser.connect()
        await socket.say(type="start", ref="r", block_type="tale", sample="hand")
        start = await socket.until("start", ref="r")
        await socket.end_of(start["stream_id"])
        tape = socket.tape(start["stream_id"])
    elif way == "json":
        data = {"sample": "hand"}
        done = (await browser.post_json(f"{START}?wait=1", data)).stream(200)
        tape = (await browser.watch(done["stream_id"])).tape
    else:
        prompt = {"prompt": "Who wrote this?"} if "prompt" in way else {}
        call = (
            ("GET", f"{START}?sample=hand")
            if way == "get"
            else ("POST", START, {"sample": "hand", **prompt})
        )
        reader = await browser.events(*call)
        await reader.end()
        tape = reader.tape
    [row] = [row async for row in Stream.objects.all()]
    stream = await browser.resource(row.id)
    assert stream["text"] == "Written by hand, and replayed."
    assert (stream["sample"], stream["model"]) == ("hand", "sample")
    assert (stream["prompt"], stream["options"]) == ("Who wrote this?", {})
    assert stream["status"] == "complete"
    if way != "json":
        assert (tape.events[0]["sample"], tape.events[0]["model"]) == ("hand", "sample")
    [listed] = (await browser.call("GET", "/api/streams")).json()["results"]
    assert listed["sample"] == "hand"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sample": "nothing"}, "sample"),
        ({"sample": ""}, "sample"),
        ({"sample": 7}, "sample"),
        ({"sample": "hand", "prompt": "Another?"}, "prompt"),
        ({"sample": "hand", "prompt": ""}, "prompt"),
        ({"sample": "hand", "options": {"words": 3}}, "options"),
        ({"sample": "hand", "options": []}, "options"),
        ({"sample": None}, "prompt"),
    ],
)
async def test_other_input_is_refused(browser: Browser, fields: Any, field: str) -> None:
    answer = await browser.post_json(START, fields)
    answer.problem("invalid_input", field=field)
    socket = await browser.connect()
    await socket.say(type="start", ref="r", block_type="tale", **fields)
    refused = await socket.hear()
    assert (refused["type"], refused["code"]) == ("refused", "invalid_input")
    assert await Stream.objects.acount() == 0


async def test_a_disabled_block_or_a_hidden_sample_is_gone(browser: Browser, settings: Any) -> None:
    settings.AI_SAMPLES = "never"
    (await browser.post_json(START, {"sample": "hand"})).problem("invalid_input", field="sample")
    settings.AI_SAMPLES = "always"
    await BlockType.objects.aupdate(enabled=False)
    (await browser.post_json(START, {"sample": "hand"})).problem("unknown_block")


async def test_it_counts_against_the_limits(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start_process(AI_MODEL="scripted:nothing", LIMIT_STARTS_PER_MINUTE=1)
    await make_block(model="")
    browser = await make_browser()
    (await browser.post_json(START, {"sample": "hand"})).stream(201)
    (await browser.post_json(START, {"sample": "hand"})).problem("rate_limited")


async def test_a_request_id_belongs_to_the_sample_or_to_the_question(browser: Browser) -> None:
    ids = {"request_id": new_request_id()}
    first = (await browser.post_json(START, {"sample": "hand", **ids})).stream(201)
    again = (await browser.post_json(START, {"sample": "hand", **ids})).stream(200)
    assert again["stream_id"] == first["stream_id"]
    other = await browser.post_json(START, {"prompt": "Who wrote this?", **ids})
    other.problem("request_conflict")


async def test_another_process_goes_on_with_it(
    start_process: StartProcess,
    make_block: MakeBlock,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = parse_script({"steps": [SAY[0] | {"every_ms": 40}]})
    monkeypatch.setattr(samples, "all_samples", lambda: (replace(TALE, script=slow),))
    await start_process(AI_MODEL="scripted:nothing", STREAM_DRAIN_SECONDS=0.05)
    await make_block(model="")
    browser = await make_browser()
    reader = await browser.start(sample="hand", prompt="Who wrote this?")
    await reader.next()
    await reader.next()
    process = await processes.ensure_started()
    await process.drain()
    await processes.stop()

    await start_process(AI_MODEL="scripted:nothing")
    async with asyncio.timeout(30):
        again = await browser.watch(reader.stream_id)
        await again.end()
    stream = await browser.resource(reader.stream_id)
    assert (stream["status"], stream["text"]) == ("complete", "Written by hand, and replayed.")
    assert stream["sample"] == "hand"
