"""Every golden run in every dialect: one end, nothing lost, nothing doubled, wherever it is cut.

Source: spec.md, "Dialects".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.protocol import events
from tests.specs.fixture import RUNS
from tests.specs.golden_run import STREAM_ID, GoldenRun, Script
from tests.support.streaming.dialects import (
    CASES,
    Body,
    Read,
    ag_ui,
    body_of,
    data_in,
    read_ag_ui,
)

ENDS = {
    "ai-sdk": {"complete": ["finish", "done"], "error": ["error", "done"]},
    "ag-ui": {"complete": ["success"], "error": ["error"], "cancelled": ["cancelled"]},
    "openai": {"complete": ["done"], "error": ["error"], "cancelled": ["error"]},
    "ai-sdk-object": {"complete": ["end"]},
}
ENDS["ai-sdk"]["cancelled"] = ENDS["ai-sdk"]["complete"]


def assert_holds(name: str, run: GoldenRun, body: Body) -> Read:
    """Assert that a body that was not cut has one end, and holds what the run holds."""
    read = CASES[name].read(body)
    if body.is_cut:
        assert read.terminals == []
        return read
    state = run.window().state
    assert state.terminal is not None
    assert read.terminals == ENDS[name][state.terminal.type]
    result = state.terminal.fields.get("result")
    items = {item["path"]: item["value"] for item in state.items}
    if name in ("ai-sdk", "ag-ui"):
        assert read.text == state.text
        assert result is None or read.document == result
    if name == "ai-sdk":
        assert read.items == items
    if name == "ai-sdk-object":
        assert read.document == result
    if name == "openai" and state.terminal.type == "complete":
        assert (json.loads(read.text) if result else read.text) == (result or state.text)
    return read


@pytest.mark.parametrize("name", CASES)
def test_a_viewer_may_come_after_any_event_and_holds_the_same_in_the_end(name: str) -> None:
    whole = 0
    for run in RUNS:
        for joins_after in range(len(run.events) + 1):
            body = body_of(run, CASES[name].make(), joins_after=joins_after)
            assert_holds(name, run, body)
            whole += not body.is_cut
        # Whoever comes after the last event sees nothing that is void later.
        has_end = run.window().state.terminal is not None
        has_result = has_end and "result" in run.events[-1].fields
        assert body.is_cut != (has_result if name == "ai-sdk-object" else has_end)
    assert whole > 50


@pytest.mark.parametrize("name", ["ai-sdk", "ag-ui", "openai"])
def test_only_a_void_text_and_a_missing_end_cut_a_body(name: str) -> None:
    cut = {run.name for run in RUNS if body_of(run, CASES[name].make()).is_cut}
    unended = {run.name for run in RUNS if run.window().state.terminal is None}
    void = {run.name for run in RUNS if _is_void(run, has_items=name == "openai")}
    assert cut - unended == void != set()


def _is_void(run: GoldenRun, *, has_items: bool) -> bool:
    """Whether a run resets what a dialect has shown and can't take back."""
    types = [event.type for event in run.events]
    before = run.events[: types.index("reset")] if "reset" in types else ()
    return not run.is_over and any(
        (event.type == "chunk" and "path" not in event.fields)
        or (has_items and event.fields.get("value") is not None)
        for event in before
    )


def test_an_ag_ui_client_that_comes_again_gets_its_messages_and_the_text_once() -> None:
    run = next(run for run in RUNS if run.name == "markdown")
    asked = {"id": "u1", "role": "user", "content": "Why?"}
    partial = {"id": STREAM_ID, "role": "assistant", "content": "was cut he"}
    body = body_of(run, ag_ui(messages=[asked, partial]), joins_after=2)
    second = data_in(body.whole)[1]
    assert second["type"] == "MESSAGES_SNAPSHOT"
    assert second["messages"][0] == asked
    assert [each["id"] for each in second["messages"]] == ["u1", STREAM_ID]
    assert read_ag_ui(body).text == run.window().state.text


def test_the_last_block_of_an_event_carries_its_cursor() -> None:
    run = next(run for run in RUNS if run.name == "markdown")
    for name in ("ai-sdk", "ag-ui", "openai"):
        last = body_of(run, CASES[name].make()).whole.split(b"\n\n")
        ids = [block.split(b"\n")[0] for block in last if block.startswith(b"id: ")]
        seqs = [int(line.rpartition(b":")[2]) for line in ids]
        assert seqs == sorted(seqs) and seqs[-1] == run.events[-1].seq


def test_a_growing_object_shows_parts_before_its_end() -> None:
    run = next(run for run in RUNS if run.name == "quiz")
    pieces = body_of(run, CASES["ai-sdk-object"].make()).pieces
    before_the_end = b"".join(pieces[:-1]).decode()
    assert '"questions":[{' in before_the_end and not before_the_end.endswith("]")
    assert len([piece for piece in pieces if piece]) >= 3


# --- any run ------------------------------------------------------------------------------

tokens = st.text(min_size=1, max_size=4)
steps = st.lists(
    st.tuples(st.just("chunk"), tokens)
    | st.tuples(st.just("item"), st.integers(0, 2))
    | st.tuples(st.just("void"), st.integers(0, 2))
    | st.tuples(st.just("reset"), st.none()),
    max_size=12,
)


def run_of(made: list[tuple[str, Any]], end: str, *, is_text: bool) -> GoldenRun:
    """Build a legal run of these steps; a structured one's result is its items."""
    script, count = Script(), 0
    for kind, value in made:
        if kind == "reset":
            script.add(events.reset, "retry")
            count = 0
        elif is_text:
            script.chunks(value if kind == "chunk" else "word ")
        elif kind == "chunk":
            script.chunks(value, path=f"/list/{count}/name")
        else:
            is_void = kind == "void"
            script.item(f"/list/{count}", None if is_void else {"name": value})
            count += not is_void
    if end == "complete":
        values = {"list": [{"name": None}] * 0}
        return GoldenRun("any", "", _completed(script, values, is_text=is_text))
    if end == "error":
        return GoldenRun("any", "", script.error("internal", "Broken.", retryable=True))
    if end == "cancelled":
        return GoldenRun("any", "", script.cancelled("owner"))
    return GoldenRun("any", "", tuple(script.events))


def _completed(script: Script, values: dict[str, Any], *, is_text: bool) -> tuple[Any, ...]:
    if is_text:
        return script.complete()
    for event in script.events:
        if event.type == "reset":
            values["list"] = []
        elif event.type == "item" and event.fields["value"] is not None:
            values["list"] = [*values["list"], event.fields["value"]]
    return script.complete(result=values, dropped={})


@given(
    steps,
    st.sampled_from(["complete", "error", "cancelled", ""]),
    st.booleans(),
    st.integers(0, 12),
)
def test_any_run_has_one_end_or_is_cut(
    made: list[tuple[str, Any]], end: str, is_text: bool, at: int
) -> None:
    run = run_of(made, end, is_text=is_text)
    for name, case in CASES.items():
        assert_holds(name, run, body_of(run, case.make(), joins_after=min(at, len(run.events))))
