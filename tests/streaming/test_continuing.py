"""A start that continues an ended stream, on every transport.

Source: spec.md, "HTTP" (Continue).
"""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess
from tests.support.blocks.fake_provider import FakeProvider
from tests.support.streaming.asking import ask, new_request_id
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.continuing import (
    WAYS,
    Way,
    by_events,
    by_post,
    cut,
    questions,
    refused_by,
)

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


async def test_the_same_options_may_be_sent_again_whatever_became_of_the_block(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    tone, count = {"type": "string"}, {"type": "integer", "default": 1}
    block = await make_block(
        options_schema={"properties": {"tone": tone, "count": count}, "required": ["tone"]}
    )
    first = await cut(browser, play, options={"tone": "dry"})
    same = {"continues": first["stream_id"]}
    play(" blue")
    # Some of them are enough, though the block requires others.
    assert (await by_post(browser, **same, options={"count": 1}))["options"] == first["options"]
    block.options_schema = {"properties": {"loud": {"type": "boolean"}}}
    await block.asave()
    assert (await by_post(browser, **same, options=first["options"]))["text"] == " blue"
    for options in ({"count": 2}, {"count": "1"}, {"count": True}, {"loud": True}):
        answer = await browser.post_json(START, same | {"options": options})
        answer.problem("invalid_input", field=next(iter(options)))


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
