"""The schema is strict: it rejects everything that it does not name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from streaming.protocol import events
from streaming.protocol.frames import Frame
from streaming.protocol.viewer import merge_chunks
from tests.specs.golden_run import HEAD, STREAM_ID
from tests.support.schema import (
    load_schema,
    types_of,
    validate,
    validate_client_frame,
    validate_event,
    validate_problem,
    validate_server_frame,
    validate_stream_document,
    validator_of,
)

EVENTS: list[dict[str, Any]] = [
    events.start(replace(HEAD, sample="s"), status="queued", after=-1, ref="r").to_dict(),
    events.chunk(STREAM_ID, 0, "x").to_dict(),
    events.chunk(STREAM_ID, 0, "x", "/questions/0/question").to_dict(),
    events.merged_chunk(STREAM_ID, 0, 3, "x", None).to_dict(),
    events.item(STREAM_ID, 0, "/title", "x").to_dict(),
    events.item(STREAM_ID, 0, "/title", None).to_dict(),
    events.reset(STREAM_ID, 0, "retry").to_dict(),
    events.snapshot(
        STREAM_ID,
        seq=-1,
        status="running",
        text="",
        items=[{"path": "/a", "value": 0}],
        arriving={"/b": "x"},
    ).to_dict(),
    events.complete(
        STREAM_ID,
        0,
        finish_reason="length",
        input_tokens=1,
        output_tokens=0,
        ttft_ms=None,
        duration_ms=0,
        result={"a": 1},
        dropped={"cut": 1},
    ).to_dict(),
    events.error(STREAM_ID, 0, code="internal", message="Sorry", retryable=True).to_dict(),
    events.cancelled(STREAM_ID, 0, by="abandoned").to_dict(),
    events.thinking(STREAM_ID, since_ms=0).to_dict(),
    events.queue(STREAM_ID, place=1).to_dict(),
    events.reconnect(STREAM_ID, retry_ms=1000).to_dict(),
    events.reconnect(None, retry_ms=1000).to_dict(),
    {"type": "ping"},
]
SWITCHES = {"enabled": True, "backend": "sse", "fallback": True, "message": "", "paused": False}
STREAM: dict[str, Any] = {
    "stream_id": STREAM_ID,
    "block_type": "quiz",
    "prompt": "Planets",
    "options": {},
    "model": "m",
    "status": "running",
    "text": "",
    "items": [],
    "arriving": {},
    "result": None,
    "seq": -1,
    "created_at": "2026-01-02T03:04:05.678Z",
    "started_at": None,
    "ended_at": None,
    "ttft_ms": None,
    "usage": None,
    "finish_reason": None,
    "dropped": None,
    "error": None,
    "request_id": None,
    "continues": None,
    "sample": None,
}
ACTIVE = {name: value for name, value in STREAM.items() if name != "text"}
SERVER: list[dict[str, Any]] = [
    {"type": "hello", "streaming": SWITCHES, "active": [ACTIVE]},
    {"type": "settings", "streaming": SWITCHES},
    {"type": "pong"},
    {"type": "refused", "code": "malformed", "message": "What?", "retry_after_ms": None},
    {
        "type": "refused",
        "ref": "r",
        "code": "rate_limited",
        "message": "Wait.",
        "retry_after_ms": 9,
    },
]
PROBLEM = {"type": "about:blank", "title": "T", "status": 404, "detail": "D", "code": "not_found"}


def _name(data: dict[str, Any]) -> str:
    return str(data["type"])


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(load_schema())
    for name in load_schema()["$defs"]:
        validator_of(name)


@pytest.mark.parametrize("data", EVENTS, ids=_name)
def test_every_event_that_can_be_made_fits_and_fits_one_schema_alone(data: dict[str, Any]) -> None:
    validate_event(data)
    validate_server_frame(data)
    validate("event", data)  # the union: exactly one


@pytest.mark.parametrize("data", EVENTS + SERVER, ids=_name)
def test_a_member_that_is_not_named_is_refused(data: dict[str, Any]) -> None:
    validate_server_frame(data)
    with pytest.raises(ValidationError):
        validate_server_frame(data | {"more": 1})


@pytest.mark.parametrize("data", EVENTS + SERVER, ids=_name)
def test_a_member_that_is_required_is_missed(data: dict[str, Any]) -> None:
    required = load_schema()["$defs"][types_of("server_frame")[data["type"]]]["required"]
    for name in required:
        with pytest.raises(ValidationError):
            validate_server_frame({key: value for key, value in data.items() if key != name})


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "chunk", "stream_id": STREAM_ID, "seq": -1, "token": "x"},
        {"type": "chunk", "stream_id": STREAM_ID, "seq": True, "token": "x"},
        {"type": "chunk", "stream_id": STREAM_ID, "seq": 0, "token": None},
        {"type": "chunk", "stream_id": "short", "seq": 0, "token": "x"},
        {"type": "item", "stream_id": STREAM_ID, "seq": 0, "path": "title", "value": 1},
        {"type": "item", "stream_id": STREAM_ID, "seq": 0, "path": "/a~2", "value": 1},
        {"type": "reset", "stream_id": STREAM_ID, "seq": 0, "reason": "why not"},
        {"type": "cancelled", "stream_id": STREAM_ID, "seq": 0, "by": "me"},
        {"type": "error", "stream_id": STREAM_ID, "seq": 0, "code": "oops", "message": "m",
         "retryable": True},
        {"type": "done"},
        {"type": None},
        {},
    ],
)  # fmt: skip
def test_wrong_events_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate_event(wrong)


def test_result_and_dropped_come_together() -> None:
    (whole,) = (data for data in EVENTS if data["type"] == "complete")
    for name in ("result", "dropped"):
        with pytest.raises(ValidationError):
            validate_event({key: value for key, value in whole.items() if key != name})
    validate_event({k: v for k, v in whole.items() if k not in ("result", "dropped")})


@given(st.lists(st.tuples(st.text(), st.none() | st.just("/a")), min_size=1, max_size=9))
def test_merged_chunks_fit_like_single_ones(tokens: list[tuple[str, str | None]]) -> None:
    frames = [Frame(events.chunk(STREAM_ID, n, *token)) for n, token in enumerate(tokens)]
    for frame in merge_chunks(frames):
        validate_event(frame.event.to_dict())


def test_the_resource_of_a_stream_is_held_to_its_status() -> None:
    ended = {"ended_at": "2026-01-02T03:04:06Z"}
    error = {"error": {"code": "internal", "message": "m", "retryable": True}}
    validate_stream_document(STREAM)
    validate_stream_document(STREAM | ended | error | {"status": "error"})
    validate_stream_document(STREAM | ended | {"status": "complete", "finish_reason": "stop"})
    for wrong in (
        {"status": "error"} | ended,
        error,
        ended,
        {"status": "complete"} | ended,
        {"status": "cancelled"},
        {"status": "cancelled", "arriving": {"/a": "x"}} | ended,
        {"request_id": "x"},
        {"created_at": "2026-01-02 03:04:05"},
        {"created_at": "2026-01-02T03:04:05+00:00"},
        {"more": 1},
    ):
        with pytest.raises(ValidationError):
            validate_stream_document(STREAM | wrong)


def test_a_listed_stream_has_no_items_and_an_active_one_no_text() -> None:
    validate("listed_stream", {k: v for k, v in STREAM.items() if k != "items"})
    validate("active_stream", ACTIVE)
    for name in ("listed_stream", "active_stream"):
        with pytest.raises(ValidationError):
            validate(name, STREAM)


def test_a_problem_names_a_code_of_the_table() -> None:
    validate_problem(PROBLEM)
    validate_problem(PROBLEM | {"field": "prompt"})
    for wrong in ({"code": "oops"}, {"status": 200}, {"detail": ""}, {"trace": "x"}):
        with pytest.raises(ValidationError):
            validate_problem(PROBLEM | wrong)


def test_a_client_frame_is_held_to_its_fields() -> None:
    validate_client_frame({"type": "resume", "stream_id": STREAM_ID, "after": -1})
    for wrong in (
        {"type": "resume", "stream_id": STREAM_ID, "after": -2},
        {"type": "cancel"},
        {"type": "ping", "more": 1},
        {"type": "pong"},
    ):
        with pytest.raises(ValidationError):
            validate_client_frame(wrong)
