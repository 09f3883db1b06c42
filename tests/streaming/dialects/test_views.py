"""The dialects' calls: starts, refusals, owners, repeated starts, stops, cut bodies.

Source: spec.md, "Dialects".
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.utils import timezone

from blocks.models import BlockType
from streaming.dialects.ask import request_id_of
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MakeBlock, Play, StartProcess
from tests.support.blocks.quiz import QUIZ
from tests.support.streaming.browser import FOREIGN, Browser
from tests.support.streaming.dialect_calls import (
    CHAT,
    COMPLETIONS,
    OBJECT,
    RUN,
    chat,
    code_of,
    completion,
    run,
    running_stream,
)
from tests.support.streaming.dialects import data_in

STARTS = [(CHAT, chat()), (RUN, run()), (COMPLETIONS, completion(stream=True))]
by_each = pytest.mark.parametrize(("path", "body"), STARTS, ids=["ai-sdk", "ag-ui", "openai"])


# --- answers -------------------------------------------------------------------------------


async def test_a_chat_gets_its_answer_as_one_message_with_the_headers_of_the_protocol(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    answer = await browser.call("POST", CHAT, chat())
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert answer.headers["x-accel-buffering"] == "no"
    parts = data_in(answer.body)
    stream_id = (await Stream.objects.aget()).id
    assert parts[0] == {"type": "start", "messageId": stream_id}
    assert (
        "".join(part["delta"] for part in parts[:-1] if part["type"] == "text-delta") == "The sky."
    )
    assert parts[-2:] == [{"type": "finish", "finishReason": "stop"}, "[DONE]"]
    assert f"id: {stream_id}:2\n".encode() in answer.body


async def test_a_run_gets_the_events_of_its_thread(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    events = data_in((await browser.call("POST", RUN, run())).body)
    assert events[0] == {"type": "RUN_STARTED", "threadId": "t1", "runId": "r1"}
    assert events[-1]["type"] == "RUN_FINISHED"
    assert events[-1]["outcome"] == {"type": "success"}


async def test_a_completion_is_chunks_with_usage_or_one_document(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    usage = {"include_usage": True}
    answer = await browser.call("POST", COMPLETIONS, completion(stream=True, stream_options=usage))
    *chunks, done = data_in(answer.body)
    assert done == "[DONE]"
    assert chunks[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    whole = (await browser.call("POST", COMPLETIONS, completion())).json()
    assert whole["choices"][0]["message"]["content"] == "The sky."
    assert (whole["object"], whole["model"]) == ("chat.completion", "tale")
    assert whole["usage"] == chunks[-1]["usage"]
    assert abs(whole["created"] - timezone.now().timestamp()) < 60


async def test_a_quiz_is_an_object_in_every_dialect(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block("quiz", output="quiz")
    play(json.dumps(QUIZ))
    answer = await browser.call("POST", OBJECT, {"prompt": "Sky"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    quiz = answer.json()
    assert [each["question"] for each in quiz["questions"]] == [
        each["question"] for each in QUIZ["questions"]
    ]
    parts = data_in((await browser.call("POST", f"{CHAT[:-4]}quiz", chat())).body)
    assert next(part["id"] for part in parts if part["type"] == "data-item") == "/title"
    assert any(part["type"] == "data-result" for part in parts[:-1])
    events = data_in((await browser.call("POST", f"{RUN[:-4]}quiz", run())).body)
    states = [event for event in events if event["type"] == "STATE_SNAPSHOT"]
    assert set(states[-1]["snapshot"]) == {"title", "questions"}
    whole = (await browser.call("POST", COMPLETIONS, completion(model="quiz"))).json()
    assert set(json.loads(whole["choices"][0]["message"]["content"])) == {"title", "questions"}


async def test_the_models_are_the_blocks(browser: Browser, block: BlockType) -> None:
    models = (await browser.call("GET", "/v1/models")).json()["data"]
    slugs = [each.slug async for each in BlockType.objects.filter(enabled=True)]
    assert sorted(model["id"] for model in models) == sorted(slugs)
    assert (await browser.call("GET", f"/v1/models/{block.slug}")).json() in models
    missing = await browser.call("GET", "/v1/models/none")
    assert (missing.status, code_of(missing)) == (404, "unknown_block")


# --- refusals --------------------------------------------------------------------------------


@by_each
async def test_a_start_is_refused_as_by_our_own_api(
    browser: Browser, block: BlockType, play: Play, path: str, body: Any, settings: Any
) -> None:
    provider = play("Hello")
    refused = {
        "forbidden_origin": {"Origin": FOREIGN, "Cookie": None},
        "csrf_failed": {"X-CSRFToken": None},
        "not_authenticated": {"Authorization": f"Bearer liveai_{'0' * 64}"},
    }
    for code, headers in refused.items():
        assert code_of(await browser.call("POST", path, body, headers=headers)) == code
    assert code_of(await browser.call("POST", f"{path}?a=1", body)) == "invalid_input"
    assert code_of(await browser.call("POST", path, {**body, "messages": []})) == "invalid_input"
    assert code_of(await browser.call("POST", path, body=b"[]", headers=JSON)) == "malformed"
    assert code_of(await browser.call("GET", path)) == "method_not_allowed"
    settings.AI_ALLOW_ANONYMOUS = False
    assert code_of(await browser.call("POST", path, body)) == "not_authenticated"
    assert provider.calls_started == 0
    assert not await Stream.objects.aexists()


JSON: dict[str, str | None] = {"Content-Type": "application/json"}


async def test_limits_hold_and_say_when_to_come_again(
    start_process: StartProcess, make_browser: Any, make_block: MakeBlock
) -> None:
    await start_process(LIMIT_STARTS_PER_MINUTE=1)
    await make_block()
    browser = await make_browser("ada")
    for number, (path, body) in enumerate(STARTS):
        answer = await browser.call("POST", path, body)
        if number:
            assert (answer.status, code_of(answer)) == (429, "rate_limited")
            assert int(answer.headers["retry-after"]) > 0
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["content-type"] == "application/json"


async def test_an_unknown_block_and_an_object_of_a_text_block_are_refused(
    browser: Browser, block: BlockType
) -> None:
    missing = await browser.call("POST", COMPLETIONS, completion(model="none"))
    assert (missing.status, code_of(missing)) == (404, "unknown_block")
    text = await browser.call("POST", "/api/dialects/ai-sdk/tale/object", {"prompt": "Why?"})
    text.problem("invalid_input")


async def test_a_failed_answer_is_an_error_that_no_client_repeats_by_itself(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play({"fail": "provider_rejected"})
    whole = await browser.call("POST", COMPLETIONS, completion())
    assert (whole.status, code_of(whole)) == (502, "provider_rejected")
    assert whole.headers["x-should-retry"] == "false"
    parts = data_in((await browser.call("POST", CHAT, chat())).body)
    assert [part["type"] for part in parts[1:-1]] == ["data-error", "error"]
    assert parts[1]["data"]["code"] == "provider_rejected"
    events = data_in((await browser.call("POST", RUN, run())).body)
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "provider_rejected")


# --- stops ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "stop", "named"),
    [
        (CHAT, chat(), f"{CHAT}/c1/stop", {}),
        (CHAT, chat(), f"{CHAT}/c1/stop", {"messageId": "m1"}),
        (RUN, run(), f"{RUN}/stop", {"threadId": "t1", "runId": "r1"}),
    ],
    ids=["chat", "message", "run"],
)
async def test_a_stop_stops_the_model_and_the_viewer_is_told(
    browser: Browser, block: BlockType, play: Play, path: str, body: Any, stop: str, named: Any
) -> None:
    play("It begins. ", {"hang": True})
    watching = asyncio.create_task(browser.call("POST", path, body))
    await running_stream()
    stopped = (await browser.call("POST", stop, named)).stream()
    assert stopped["status"] == "cancelled"
    events = data_in((await watching).body)
    assert not [event for event in events[:-1] if event["type"] == "error"]
    if path == RUN:
        assert events[-1]["outcome"] == {"type": "cancelled"}
    else:
        ends = [part["type"] for part in events[:-1]][-3:]
        assert ends == ["data-cancelled", "abort", "finish"]


async def test_a_stop_that_comes_before_its_start_holds_and_calls_no_model(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("Hello")
    named = {"threadId": "t1", "runId": "r1"}
    assert (await browser.call("POST", f"{RUN}/stop", named)).json()["stream_id"] is None
    events = data_in((await browser.call("POST", RUN, run())).body)
    assert [event["type"] for event in events] == ["RUN_STARTED", "RUN_FINISHED"]
    assert provider.calls_started == 0


@by_each
async def test_a_body_that_ends_before_the_answer_is_cut(
    browser: Browser, block: BlockType, play: Play, process: Process, path: str, body: Any
) -> None:
    play("It begins. ", {"hang": True})
    watching = asyncio.create_task(browser.call("POST", path, body))
    async with asyncio.timeout(30):
        while not len(process.connections):  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.01)
    process.connections.dismiss()
    with pytest.raises(AssertionError, match="without ending its answer"):
        await watching


@pytest.mark.parametrize("request_id", [None, "6f7f2c1e-0a5e-4c7a-9a3e-0c9a54f7a1b2"])
@pytest.mark.parametrize("code", ["shutting_down", "not_authenticated"])
async def test_a_wait_that_ends_before_the_answer_makes_nobody_pay_for_a_second_one(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    code: str,
    request_id: str | None,
) -> None:
    play("It begins. ", {"hang": True})
    named = {} if request_id is None else {"request_id": request_id}
    waiting = asyncio.create_task(browser.call("POST", COMPLETIONS, completion(**named)))
    row = await running_stream()
    async with asyncio.timeout(30):
        while not process.connections._waits:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.01)
    if code == "shutting_down":
        process.connections.dismiss()
    else:
        for wait in process.connections._waits:
            wait.end_right()
    answer = await waiting
    assert code_of(answer) == code
    if request_id is None:
        assert (answer.status, answer.headers["x-should-retry"]) == (502, "false")
        assert answer.json()["error"]["id"] == f"chatcmpl-{row.id}"
    else:  # a repeated request finds its answer
        assert answer.status == {"shutting_down": 503, "not_authenticated": 401}[code]
        assert "x-should-retry" not in answer.headers


async def test_a_closed_connection_stops_no_model(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("It begins. ", {"hang": True})
    watching = asyncio.create_task(browser.call("POST", CHAT, chat()))
    row = await running_stream()
    watching.cancel()
    assert (await browser.resource(row.id))["status"] in ("queued", "running")
    assert row.request_id == request_id_of("ai-sdk", "tale", "c1", "m1")
    assert (await browser.call("POST", f"{CHAT}/c1/stop")).stream()["status"] == "cancelled"
