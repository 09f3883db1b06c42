"""Starts that can't continue a stream, and the reason that they are given."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.models import BlockType
from streaming.generating.continuing import CHAIN_AT_MOST
from streaming.models import Stream
from tests.conftest import MakeBlock, Play
from tests.support.streaming.asking import NO_STREAM, refusal
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.continuing import by_post, cut, refused_by


@pytest.mark.parametrize("continues", [NO_STREAM, "", "no id", "a" * 400, "\0" * 22, "ä" * 22])
async def test_an_unknown_stream_is_not_found_on_every_call(
    browser: Browser, block: BlockType, continues: str
) -> None:
    (await browser.post_json(START, {"continues": continues})).problem("not_found")
    (await browser.call("POST", START, {"continues": continues})).problem("not_found")
    socket = await browser.connect()
    refused = await refusal(socket, type="start", block_type="tale", continues=continues)
    assert refused["code"] == "not_found"
    assert not await Stream.objects.aexists()


@pytest.mark.parametrize("continues", [7, True, [], {}])
async def test_what_is_no_text_is_invalid(
    browser: Browser, block: BlockType, continues: Any
) -> None:
    refused_by(await browser.post_json(START, {"continues": continues}))
    socket = await browser.connect()
    refused = await refusal(socket, type="start", block_type="tale", continues=continues)
    assert (refused["code"], refused["field"]) == ("invalid_input", "continues")


async def test_somebody_elses_stream_is_not_found(
    browser: Browser, block: BlockType, make_block: MakeBlock, play: Play, make_browser: Any
) -> None:
    first = await cut(browser, play)
    await make_block("other")
    same = {"continues": first["stream_id"]}
    for stranger in (await make_browser(), await make_browser("ada"), Browser()):
        (await stranger.post_json(START, same)).problem("not_found")
        # It does not even tell the stream's block, nor whether a prompt is right.
        (await stranger.post_json("/api/stream/ai-block/other", same)).problem("not_found")
        (await stranger.post_json(START, same | {"prompt": "How?"})).problem("not_found")


async def test_another_block_is_named(
    browser: Browser, block: BlockType, make_block: MakeBlock, play: Play
) -> None:
    first = await cut(browser, play)
    await make_block("other")
    path = "/api/stream/ai-block/other"
    answer = await browser.post_json(path, {"continues": first["stream_id"]})
    assert "“tale”" in refused_by(answer)
    (await browser.post_json("/api/stream/ai-block/none", {"continues": NO_STREAM})).problem(
        "unknown_block"
    )


async def test_a_running_stream_can_not_be_continued(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The sky ", {"hang": True})
    reader = await browser.start()
    answer = await browser.post_json(START, {"continues": reader.stream_id})
    assert "still being written" in refused_by(answer)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (["All."], "finished"),
        ([{"fail": "refused", "message": "No."}], "declined"),
        ([{"fail": "provider_timeout"}], "no text"),
    ],
)
async def test_an_answer_that_lacks_nothing_can_not_be_continued(
    browser: Browser, block: BlockType, play: Play, steps: list[Any], why: str
) -> None:
    play(*steps)
    first = await by_post(browser, prompt="Why?")
    assert why in refused_by(await browser.post_json(START, {"continues": first["stream_id"]}))
    socket = await browser.connect()
    frame = {"type": "start", "block_type": "tale", "continues": first["stream_id"]}
    assert why in (await refusal(socket, **frame))["message"]
    assert await Stream.objects.acount() == 1


@pytest.mark.parametrize("output", ["diagram", "json"])
async def test_an_output_without_continuations_says_so(
    browser: Browser, make_block: MakeBlock, play: Play, output: str
) -> None:
    block = await make_block()
    first = await cut(browser, play)
    block.output = output
    await block.asave()
    answer = await browser.post_json(START, {"continues": first["stream_id"]})
    assert "can't be continued" in refused_by(answer)


async def test_a_chain_has_an_end(browser: Browser, block: BlockType, play: Play) -> None:
    stream_id = (await cut(browser, play))["stream_id"]
    for _ in range(CHAIN_AT_MOST - 1):
        stream_id = (await cut(browser, play, " on", continues=stream_id))["stream_id"]
    assert "20 parts" in refused_by(await browser.post_json(START, {"continues": stream_id}))


async def test_a_text_of_200_000_characters_is_long_enough(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play, "x" * 150_000)
    second = await cut(browser, play, "y" * 50_001, continues=first["stream_id"])
    answer = await browser.post_json(START, {"continues": second["stream_id"]})
    assert "200,000 characters" in refused_by(answer)


@pytest.mark.parametrize("way", ["json", "socket"])
async def test_other_input_is_refused_by_its_field(
    browser: Browser, make_block: MakeBlock, play: Play, way: str
) -> None:
    tone = {"type": "string", "default": "kind"}
    count = {"type": "integer", "default": 1}
    await make_block(options_schema={"properties": {"tone": tone, "count": count}})
    first = await cut(browser, play, options={"tone": "dry"})
    play(" blue")
    same = {"continues": first["stream_id"]}
    socket = await browser.connect()

    async def start(fields: dict[str, Any]) -> dict[str, Any] | None:
        """Return the refusal of a start; None if it is accepted."""
        if way == "json":
            answer = await browser.post_json(START, fields)
            return None if answer.status == 201 else answer.problem("invalid_input")
        await socket.say(type="start", ref="r", block_type="tale", **fields)
        while (frame := await socket.hear()).get("ref") != "r":
            pass
        return frame if frame["type"] == "refused" else None

    assert await start(same | {"prompt": "Why?", "options": {"tone": "dry"}}) is None
    assert await start(same | {"prompt": "Why?", "options": first["options"]}) is None
    assert await start(same | {"prompt": None, "options": None}) is None
    for fields, field in [
        ({"prompt": "How?"}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"options": {"tone": "kind"}}, "tone"),
        ({"options": {"count": 2}}, "count"),
        ({"options": {"pace": 1}}, "pace"),
        ({"options": []}, "options"),
    ]:
        refused = await start(same | fields)
        assert refused is not None and refused["field"] == field, fields


async def test_options_of_a_query_are_compared_by_their_type(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    count = {"type": "integer", "default": 1}
    await make_block(options_schema={"properties": {"count": count}})
    first = await cut(browser, play, options={"count": 3})
    play(" blue")
    path = f"{START}?continues={first['stream_id']}&count="
    (await browser.call("GET", f"{path}2")).problem("invalid_input", field="count")
    reader = await browser.events("GET", f"{path}3")
    assert (await reader.end())["type"] == "complete"
