"""The preview of a block type: its events, its end, what it counts for, and who may have one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.access.visitor import Visitor
from streaming.admission.subjects import clear_rules, subjects_of
from streaming.http.handover import BodyCut
from streaming.models import Limit, Stream, StreamingSettings, TokenUse
from streaming.preview import run as run_module
from streaming.preview.body import Preview, preview_body
from streaming.process import Process
from tests.conftest import StartProcess, scripted
from tests.streaming.preview.conftest import OWN_MODEL, PREVIEW, Editor, events_in
from tests.support.blocks.quiz import QUIZ
from tests.support.streaming.redis_logs import eventually

TIMEOUT_SECONDS = 20


async def test_the_unsaved_values_are_answered_token_by_token(editor: Editor, say: Any) -> None:
    provider = say({"tokens": ["The ", "sky"]}, {"usage": {"input_tokens": 3, "output_tokens": 2}})
    start, *middle, end = await editor.events(
        system_prompt="Be $tone.",
        options_schema='{"properties": {"tone": {"type": "string", "default": "kind"}}}',
    )
    assert (start["type"], start["status"], start["after"]) == ("start", "running", -1)
    assert [(each["seq"], each["token"]) for each in middle] == [(0, "The "), (1, "sky")]
    assert (end["type"], end["seq"], end["usage"]) == (
        "complete",
        2,
        {"input_tokens": 3, "output_tokens": 2},
    )
    (request,) = provider.requests
    assert request.messages[0].content == "Be kind."
    assert not await BlockType.objects.filter(slug="tale").aexists()
    assert not await Stream.objects.aexists()


async def test_a_quiz_arrives_part_by_part(editor: Editor, say: Any) -> None:
    say({"json": QUIZ, "token_chars": 8})
    _, *middle, end = await editor.events(output="quiz", temperature="0")
    assert end["type"] == "complete", end
    assert "/questions/0" in [each["path"] for each in middle if each["type"] == "item"]
    assert end["result"]["questions"][0]["question"] == "Question 0?"


async def test_a_failed_model_ends_it_with_a_coded_error(editor: Editor, say: Any) -> None:
    say("The ", {"fail": "provider_interrupted"})
    assert [each["type"] for each in await editor.events()] == ["start", "chunk", "error"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title": ""}, ["title"]),
        ({"system_prompt": "$nothing"}, ["system_prompt"]),
        ({"model": "nothing"}, ["model"]),
        ({"options_schema": "["}, ["options_schema"]),
        ({"output": "json", "slug": "a b"}, ["answer_schema", "slug"]),
    ],
)
async def test_problems_of_the_form_are_said_by_field_as_when_it_is_saved(
    editor: Editor, changes: dict[str, str], fields: list[str]
) -> None:
    found = await editor.problem(**changes)
    assert found["code"] == "invalid_input"
    assert sorted(found["errors"]) == fields
    assert all(problems for problems in found["errors"].values())


async def test_a_slug_that_another_block_type_has_is_refused_and_the_own_one_is_not(
    editor: Editor, say: Any
) -> None:
    block = await BlockType.objects.acreate(slug="tale", title="Tale")
    say("Yes")
    assert list((await editor.problem())["errors"]) == ["slug"]
    events = await editor.events(**{"preview-block": block.pk})
    assert events[-1]["type"] == "complete"


@pytest.mark.parametrize(
    ("prompt", "options", "code", "field"),
    [
        ("", "{}", "invalid_input", "prompt"),
        ("x" * 4_001, "{}", "prompt_too_long", "prompt"),
        ("Why?", '{"tone": 1}', "invalid_input", "tone"),
        ("Why?", "{", "invalid_input", "options"),
        ("Why?", "[" * 9_000, "invalid_input", "options"),
    ],
)
async def test_the_input_is_checked_like_that_of_a_start(
    editor: Editor, prompt: str, options: str, code: str, field: str
) -> None:
    found = await editor.problem(prompt, options)
    assert (found["code"], found["field"]) == (code, field)


async def test_it_counts_like_a_start_of_the_same_user(
    editor: Editor, say: Any, settings: Any
) -> None:
    settings.LIMIT_STARTS_PER_MINUTE = 1
    say("Yes", {"usage": {"input_tokens": 30, "output_tokens": 12}})
    await editor.events()
    assert (await editor.problem())["code"] == "rate_limited"

    def used() -> int:
        return sum(TokenUse.objects.filter(subject="all").values_list("tokens", flat=True))

    async def is_counted() -> bool:
        return await sync_to_async(used)() == 42

    await eventually(is_counted)


async def test_a_quota_that_is_used_up_refuses_it(editor: Editor, say: Any) -> None:
    await Limit.objects.acreate(whose=Limit.Whose.USERS, tokens_per_day=100)
    clear_rules()
    assert (await editor.problem())["code"] == "quota_exceeded"


async def test_a_user_has_one_at_a_time_and_a_full_process_none(
    make_editor: Any, process: Process, say: Any, settings: Any
) -> None:
    editor, other = await make_editor(), await make_editor("change_blocktype")
    say("The ", {"hang": True})
    body = await body_of(process, owner=f"user:{editor.user.pk}")
    await anext(body)
    assert (await editor.problem())["code"] == "rate_limited"
    settings.STREAM_MAX_RUNNING = 1
    assert (await other.problem())["code"] == "over_capacity"
    await body.aclose()
    settings.STREAM_MAX_RUNNING = 9
    say("Yes")  # whoever clicks Stop may click Preview at once
    assert (await editor.events())[-1]["type"] == "complete"


async def test_it_is_for_those_who_may_edit_block_types(make_editor: Any, say: Any) -> None:
    say("Yes")
    for codename in ("add_blocktype", "change_blocktype"):
        assert (await (await make_editor(codename)).events())[-1]["type"] == "complete"
    reader = await make_editor("view_blocktype")
    assert (await reader.ask()).status_code == 403
    visitor = await make_editor("view_stream", is_staff=False)
    assert (await visitor.ask()).status_code == 302
    assert (await reader.client.get(PREVIEW)).status_code in (403, 405)


async def test_a_form_of_another_site_is_refused(editor: Editor) -> None:
    editor.client.handler.enforce_csrf_checks = True
    assert (await editor.ask()).status_code == 403


# --- the body ---------------------------------------------------------------------------


async def body_of(
    process: Process, *, send: Any = None, model: str = OWN_MODEL, owner: str = "user:1"
) -> Any:
    """Take a turn and make a body, as the view does."""
    visitor = Visitor(owner, 1, None)
    subjects = await sync_to_async(subjects_of)(visitor)
    block = BlockType(slug="tale", title="Tale", model=model)
    preview = Preview(visitor, subjects, block.spec(), "Why?", {}, {OWN_MODEL})
    turn = process.previews.take(visitor, busy="")
    return preview_body(process, preview, turn, send)


async def test_a_client_that_leaves_stops_the_model(process: Process, say: Any) -> None:
    provider = say("The ", {"hang": True})
    body = await body_of(process)
    async for part in body:
        if b"The " in part:
            break
    assert provider.calls_open == 1
    await body.aclose()
    await eventually(lambda: provider.calls_open == 0 and len(process.previews) == 0)
    assert len(process.connections) == 0


async def test_a_restart_ends_it_with_an_error(process: Process, say: Any) -> None:
    say("The ", {"hang": True})
    body = await body_of(process)
    await anext(body)
    process.connections.dismiss()
    (end,) = events_in(b"".join([part async for part in body]))[-1:]
    assert (end["type"], end["code"]) == ("error", "shutting_down")


async def test_the_switch_that_stops_everything_stops_it_and_refuses_the_next(
    editor: Editor, process: Process, say: Any
) -> None:
    say("The ", {"hang": True})
    body = await body_of(process)
    await anext(body)
    await StreamingSettings(paused=True).asave()
    await process.follow_switches()
    (end,) = events_in(b"".join([part async for part in body]))[-1:]
    assert (end["type"], end["by"]) == ("cancelled", "admin")
    assert (await editor.problem())["code"] == "paused"


async def test_a_client_that_does_not_read_is_cut_off_and_slows_the_model(
    process: Process, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "READY_BYTES_AT_MOST", 2_000)
    provider = say({"repeat": 10_000, "steps": ["word "]}, {"hang": True})
    reached = asyncio.Event()

    async def send(part: bytes) -> None:
        reached.set()
        await asyncio.Event().wait()

    body = await body_of(process, send=send)
    step = asyncio.ensure_future(anext(body))
    await asyncio.wait_for(reached.wait(), TIMEOUT_SECONDS)
    (connection,) = process.connections
    for _ in range(200):
        await asyncio.sleep(0)
    assert provider.calls_open == 1
    connection.is_stalled = True
    assert connection.task is not None
    connection.task.cancel()
    with pytest.raises(BodyCut):
        await step
    await eventually(lambda: provider.calls_open == 0)


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("STREAM_DEADLINE_SECONDS", 0.05, "deadline_exceeded"),
        ("STREAM_MAX_EVENTS", 5, "output_too_long"),
    ],
)
async def test_it_is_bounded(
    start_process: StartProcess, settings: Any, setting: str, value: Any, code: str
) -> None:
    process = await start_process(**{setting: value})
    process.providers.use(OWN_MODEL, scripted({"repeat": 99, "steps": ["x "]}, {"hang": True}))
    body = await body_of(process)
    events = events_in(b"".join([part async for part in body]))
    assert (events[-1]["type"], events[-1]["code"]) == ("error", code)
    assert [each["seq"] for each in events[1:]] == list(range(len(events) - 1))


async def test_a_model_that_the_site_does_not_keep_is_the_previews_own(process: Process) -> None:
    body = await body_of(process, model="scripted:demo-of-nothing")
    events = events_in(b"".join([part async for part in body]))
    assert events[-1]["code"] == "provider_rejected"
    assert "scripted:demo-of-nothing" not in process.providers.models


# --- the trial of a model ---------------------------------------------------------------

TEST = "/admin/blocks/blocktype/model-test/"


async def test_the_configured_model_is_tried_and_counted(editor: Editor, say: Any) -> None:
    provider = say("yes", {"usage": {"input_tokens": 3, "output_tokens": 1}})
    response = await editor.client.post(TEST, {"model": ""})
    found = json.loads(response.content)
    assert (found["works"], found["code"]) == (True, "")
    assert found["message"].startswith("scripted:demo works: first token after ")
    assert provider.requests[0].max_tokens == 16
    spent = await sync_to_async(list)(
        TokenUse.objects.filter(subject="all").values_list("tokens", flat=True)
    )
    assert sum(spent) == 4


async def test_a_model_that_fails_is_said_with_its_code_and_what_to_do(
    editor: Editor, say: Any
) -> None:
    say({"fail": "provider_unavailable"})
    found = json.loads((await editor.client.post(TEST, {"model": ""})).content)
    assert (found["works"], found["code"]) == (False, "provider_unavailable")
    assert "AI_BASE_URL" in found["advice"]
    found = json.loads((await editor.client.post(TEST, {"model": "nothing"})).content)
    assert (found["works"], found["code"]) == (False, "provider_rejected")


async def test_who_may_not_edit_may_not_try_a_model(make_editor: Any, say: Any) -> None:
    provider = say("yes")
    reader = await make_editor("view_blocktype")
    assert (await reader.client.post(TEST, {"model": ""})).status_code == 403
    assert provider.calls_started == 0
