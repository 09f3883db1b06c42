"""The fixtures match the code's output and the schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from streaming.protocol.order import Order
from tests.specs.fixture import FIXTURES, RUNS, documents
from tests.specs.golden_run import GoldenRun
from tests.support.schema import (
    types_of,
    validate,
    validate_client_frame,
    validate_event,
    validate_server_frame,
)
from tests.support.streaming.sse_reader import SseReader

MADE = documents()


def _committed(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_committed_bytes_are_what_the_code_makes(name: str) -> None:
    path = FIXTURES / name
    assert path.exists(), f"run `python -m tests.specs.write_fixtures` to make {name}"
    assert path.read_bytes() == MADE[name].encode(), (
        "the wire has changed: if that is meant, run `python -m tests.specs.write_fixtures`"
    )


def test_no_fixture_is_left_of_a_run_that_is_gone() -> None:
    assert {path.name for path in FIXTURES.glob("*.json")} - {"diagram-source.json"} == set(MADE)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_every_frame_of_a_golden_run_fits_the_schema_on_both_transports(run: GoldenRun) -> None:
    document = _committed(f"run-{run.name}.json")
    frames = [document, *(attach for attach in document["attaches"] if "sse" in attach)]
    for frame in frames:
        for text in frame["websocket"]:
            validate_server_frame(json.loads(text))
        reader = SseReader()
        for message in reader.feed("".join(frame["sse"]).encode()):
            validate_event(json.loads(message.data))
        # Over SSE, a client that has everything gets a 204.
        assert len(reader.messages) == len(frame["sse"])
        assert frame["sse"] == [] or len(frame["sse"]) == len(frame["websocket"])
    for event in document["events"]:
        validate_event(event)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_result_has_the_public_form_of_its_output(run: GoldenRun) -> None:
    result = run.events[-1].fields.get("result")
    if run.head.block_type in ("quiz", "diagram") and result is not None:
        validate(f"{run.head.block_type}_result", result)
    items = run.window().state.items
    if result is not None and run.head.block_type != "recipe":
        named = {item["path"]: item["value"] for item in items}
        assert named["/title"] == result["title"]
        for kind in ("questions", "nodes", "edges"):
            for index, value in enumerate(result.get(kind, [])):
                # An item's index is its index in the result.
                assert named[f"/{kind}/{index}"] == value


def test_the_runs_show_every_kind_of_event() -> None:
    shown = set()
    for run in RUNS:
        for frame in _committed(f"run-{run.name}.json")["websocket"]:
            shown.add(json.loads(frame)["type"])
    # These two belong to a connection, not to a stream.
    assert shown == set(types_of("event")) - {"reconnect", "ping"}


def test_the_runs_show_every_answer_to_a_cursor() -> None:
    answers = set()
    for run in RUNS:
        for attach in _committed(f"run-{run.name}.json")["attaches"]:
            kinds = tuple(json.loads(text)["type"] for text in attach.get("websocket", []))
            answers.add(attach.get("refused") or (attach["http_status"], "snapshot" in kinds))
            merged = any("first_seq" in json.loads(text) for text in attach.get("websocket", []))
            answers.add("merged" if merged else "single")
    assert answers == {
        "invalid_cursor",
        "merged",
        "single",
        (200, False),
        (200, True),
        (204, False),
    }


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_is_legal_and_its_names_are_unique(run: GoldenRun) -> None:
    order = Order(run.head.stream_id, after=run.row.seq if run.row else -1)
    for event in run.events:
        order.check(event)
    assert [other.name for other in RUNS].count(run.name) == 1


def test_a_frame_that_is_a_command_fits_the_schema_and_one_that_is_refused_does_not() -> None:
    for case in _committed("commands.json")["frames"]:
        if "command" in case:
            validate_client_frame(json.loads(case["frame"]))
            continue
        with pytest.raises((json.JSONDecodeError, ValidationError)):
            validate_client_frame(json.loads(case["frame"], parse_constant=_no_json))


def _no_json(name: str) -> None:
    raise json.JSONDecodeError(name, name, 0)
