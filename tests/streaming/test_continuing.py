"""A start that continues an ended stream, on every transport.

Source: spec.md, "HTTP" (Continue).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from blocks.models import BlockType
from streaming.generating.continuing import CHAIN_AT_MOST
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess
from tests.support.blocks.fake_provider import FakeProvider
from tests.support.streaming.asking import NO_STREAM, ask, new_request_id, refusal
from tests.support.streaming.browser import START, Browser

Way = Callable[..., Awaitable[dict[str, Any]]]
"""Starts a stream with these fields and returns its document when it has ended."""


async def by_post(browser: Browser, **fields: Any) -> dict[str, Any]:
    return (await browser.post_json(f"{START}?wait=1", fields)).stream()


async def by_events(browser: Browser, **fields: Any) -> dict[str, Any]:
    reader = await browser.events("POST", START, fields)
    await reader.end()
    return await _same(browser, reader.tape.events[0])


async def by_get(browser: Browser, **fields: Any) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    reader = await browser.events("GET", f"{START}?{query}")
    await reader.end()
    return await _same(browser, reader.tape.events[0])


async def by_socket(browser: Browser, **fields: Any) -> dict[str, Any]:
    socket = await browser.connect()
    await socket.say(type="start", ref="r", block_type="tale", **fields)
    start = await socket.until("start", ref="r")
    if socket.tape(start["stream_id"]).terminal is None:
        await socket.until("complete", stream_id=start["stream_id"])
    return await _same(browser, start)


async def _same(browser: Browser, start: dict[str, Any]) -> dict[str, Any]:
    """Return the stream's document, which must name the same continued stream as its start."""
    document = await browser.resource(start["stream_id"])
    assert start["continues"] == document["continues"]
    return document


WAYS = [by_post, by_events, by_get, by_socket]


async def cut(browser: Browser, play: Play, *tokens: str, **fields: Any) -> dict[str, Any]:
    """Run a stream that ends at the length limit."""
    play(*(tokens or ("The sky ", "is")), {"finish": "length"})
    return (await browser.post_json(f"{START}?wait=1", {"prompt": "Why?"} | fields)).stream()


def refused_by(answer: Any) -> str:
    problem = answer.problem("invalid_input", field="continues")
    return str(problem["detail"])


# --- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_a_text_goes_on_in_a_stream_of_its_own_and_the_first_does_not_change(
    way: Way, browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    provider = play(" blue", ".")
    rest = await way(browser, continues=first["stream_id"])
    assert (rest["continues"], rest["status"], rest["text"]) == (
        first["stream_id"],
        "complete",
        " blue.",
    )
    assert (rest["prompt"], rest["options"]) == (first["prompt"], first["options"])
    assert provider.requests[0].so_far == "The sky is"
    assert await browser.resource(first["stream_id"]) == first
    assert first["continues"] is None
    row = await Stream.objects.aget(pk=rest["stream_id"])
    assert row.earlier is None  # the copy is gone with the end


@pytest.mark.parametrize("way", WAYS)
async def test_the_same_prompt_may_be_sent_again(
    way: Way, browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    play(" blue")
    rest = await way(browser, prompt="Why?", continues=first["stream_id"])
    assert rest["text"] == " blue"


async def test_a_chain_gives_the_model_the_whole_text(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    second = await cut(browser, play, " blu", continues=first["stream_id"], prompt=None)
    provider = play("e.")
    third = await by_post(browser, continues=second["stream_id"])
    assert provider.requests[0].so_far == "The sky is blu"
    assert (third["text"], third["continues"]) == ("e.", second["stream_id"])
    again = await browser.post_json(START, {"continues": third["stream_id"]})
    assert "finished" in refused_by(again)


async def test_a_model_that_can_not_continue_is_asked_to(
    browser: Browser, process: Process, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    provider = FakeProvider("The sky is blue.")
    provider.can_continue = False
    process.providers.use(MODEL, provider)
    rest = await by_events(browser, continues=first["stream_id"])
    assert rest["text"] == " blue."
    assert [message.role for message in provider.requests[0].messages][-2:] == ["assistant", "user"]


async def test_a_stopped_and_a_failed_answer_can_be_continued(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The sky ", {"hang": True})
    reader = await browser.start()
    await reader.text("The sky ")
    stopped = await browser.cancel(reader.stream_id)
    play("is ", {"fail": "provider_interrupted"})
    failed = await by_post(browser, continues=stopped["stream_id"])
    provider = play("blue.")
    rest = await by_post(browser, continues=failed["stream_id"])
    assert provider.requests[0].so_far == "The sky is "
    assert rest["text"] == "blue."


async def test_with_nothing_to_add_it_is_complete_without_text(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    play("The sky is")
    rest = await by_events(browser, continues=first["stream_id"])
    assert (rest["status"], rest["text"]) == ("complete", "")


async def test_with_streaming_off_it_comes_in_one_piece(
    start_process: StartProcess, make_browser: Any, block: BlockType
) -> None:
    process = await start_process(AI_STREAMING_ENABLED=False)
    provider = FakeProvider("The sky", finish="length")
    process.providers.use(MODEL, provider)
    browser = await make_browser()
    first = await by_post(browser, prompt="Why?")
    process.providers.use(MODEL, FakeProvider(" is blue."))
    reader = await browser.events("POST", START, {"continues": first["stream_id"]})
    await reader.end()
    assert reader.tape.types == ["start", "chunk", "complete"]
    assert reader.tape.text == " is blue."


# --- quizzes ----------------------------------------------------------------------------------


def questions(*texts: str) -> str:
    listed = [
        {"question": text, "correct": "a", "wrong": ["b", "c", "d"], "explanation": "e"}
        for text in texts
    ]
    return json.dumps({"title": "Rivers", "questions": listed})


@pytest.fixture
async def quiz(make_block: MakeBlock) -> BlockType:
    count = {"type": "integer", "minimum": 1, "maximum": 10, "default": 3}
    return await make_block(output="quiz", options_schema={"properties": {"questions": count}})


@pytest.mark.parametrize("way", WAYS)
async def test_a_quiz_gets_its_missing_questions_in_a_quiz_of_its_own(
    way: Way, browser: Browser, quiz: BlockType, play: Play
) -> None:
    play(questions("Which?", "Where?"))
    first = await by_post(browser, prompt="Rivers")
    provider = play(questions("WHERE", "When?"))
    rest = await way(browser, continues=first["stream_id"])
    assert [question["question"] for question in rest["result"]["questions"]] == ["When?"]
    assert rest["dropped"] == {"duplicate_question": 1}
    assert rest["options"] == {"questions": 3}
    assert "- Which?\n- Where?" in provider.requests[0].messages[-1].content
    again = await browser.post_json(START, {"continues": rest["stream_id"]})
    assert "all of its questions" in refused_by(again)


# --- refusals ---------------------------------------------------------------------------------


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
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    first = await cut(browser, play)
    for stranger in (await make_browser(), await make_browser("ada"), Browser()):
        answer = await stranger.post_json(START, {"continues": first["stream_id"]})
        answer.problem("not_found")


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


# --- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_a_repeated_request_attaches_whatever_became_of_the_first_stream(
    browser: Browser, block: BlockType, play: Play, is_deleted: bool
) -> None:
    first = await cut(browser, play)
    provider = play(" blue")
    fields = {"continues": first["stream_id"], "request_id": new_request_id()}
    rest = await by_post(browser, **fields)
    if is_deleted:
        assert (await browser.call("DELETE", f"/api/streams/{first['stream_id']}")).status == 204
    for way in WAYS:
        assert (await way(browser, **fields))["stream_id"] == rest["stream_id"]
    assert provider.calls_started == 1
    other = {"prompt": "Why?", "request_id": fields["request_id"]}
    (await browser.post_json(START, other)).problem("request_conflict")


async def test_a_request_id_of_another_start_is_a_conflict(
    browser: Browser, block: BlockType, play: Play
) -> None:
    request_id = new_request_id()
    first = await cut(browser, play, request_id=request_id)
    fields = {"continues": first["stream_id"], "request_id": request_id}
    (await browser.post_json(START, fields)).problem("request_conflict")


async def test_deleting_the_first_stream_leaves_a_running_continuation_alone(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    play(" blue", {"hang": True})
    reader = await browser.events("POST", START, {"continues": first["stream_id"]})
    await reader.text(" blue")
    assert (await browser.call("DELETE", f"/api/streams/{first['stream_id']}")).status == 204
    stopped = await browser.cancel(reader.stream_id)
    assert stopped["continues"] == first["stream_id"]
    (await browser.call("GET", f"/api/streams/{first['stream_id']}")).problem("not_found")
    answer = await browser.post_json(START, {"continues": stopped["stream_id"]})
    assert "was deleted" in refused_by(answer)


async def test_history_hello_and_the_other_tabs_name_the_continued_stream(
    browser: Browser, block: BlockType, play: Play
) -> None:
    first = await cut(browser, play)
    tab = await browser.connect()
    play(" blue", {"hang": True})
    document = (await browser.post_json(START, {"continues": first["stream_id"]})).stream(201)
    start = await tab.until("start", stream_id=document["stream_id"])
    hello = (await browser.connect()).hello
    listed = (await browser.call("GET", "/api/streams")).json()["results"]
    named = [start, hello["active"][0], listed[0], document]
    assert [each["continues"] for each in named] == [first["stream_id"]] * 4
    assert listed[1]["continues"] is None


async def test_it_counts_like_any_other_start(
    start_process: StartProcess, make_browser: Any, block: BlockType
) -> None:
    process = await start_process(LIMIT_RUNNING_PER_OWNER=1, LIMIT_STARTS_PER_MINUTE=3)
    process.providers.use(
        MODEL, FakeProvider("The sky", [" is", FakeProvider.HANG], finish="length")
    )
    browser = await make_browser()
    first = await by_post(browser, prompt="Why?")
    same = {"continues": first["stream_id"]}
    running = (await browser.post_json(START, same)).stream(201)
    (await browser.post_json(START, same)).problem("too_many_streams")
    await browser.cancel(running["stream_id"])
    process.providers.use(MODEL, FakeProvider(" is", finish="length"))
    refused_by(await browser.post_json(START, {"continues": []}))  # counts nowhere
    await by_post(browser, continues=first["stream_id"])
    (await browser.post_json(START, same)).problem("rate_limited")


async def test_the_admin_names_the_continued_stream_and_shows_no_copy(
    browser: Browser, block: BlockType, play: Play, operator: Client
) -> None:
    first = await cut(browser, play, "A secret text")
    play(" goes on", {"hang": True})
    rest = (await browser.post_json(START, {"continues": first["stream_id"]})).stream(201)
    row = await Stream.objects.aget(pk=rest["stream_id"])
    assert row.earlier == {"text": "A secret text", "questions": []}
    page = await sync_to_async(operator.get)(f"/admin/streaming/stream/{row.pk}/change/")
    assert first["stream_id"] in page.content.decode()
    assert "A secret text" not in page.content.decode()


async def test_ask_on_a_socket_is_unchanged_without_the_field(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    stream_id = await ask(await browser.connect(), continues=None)
    assert (await browser.resource(stream_id))["continues"] is None
