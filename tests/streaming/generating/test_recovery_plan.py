"""How an orphan continues, decided from its row and log."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from blocks.spec import BlockSpec
from streaming.generating.generation import Stop
from streaming.generating.recovery import (
    RECOVERIES_AT_MOST,
    Plan,
    add_up,
    plan_of,
)
from streaming.models import Stream
from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.state import StreamState
from tests.support.blocks.example_spec import spec_of

STREAM = "0123456789abcdefghijkl"
NODE = {"path": "/nodes/0", "value": {"label": "Rain"}}


def block(on_generator_lost: str = "continue") -> BlockSpec:
    return spec_of("markdown", on_generator_lost=on_generator_lost)


def begun(**fields: Any) -> StreamState:
    return StreamState(**{"seq": 4, "status": "running", "text": "The sky ", **fields})


def plan(spec: BlockSpec | None, state: StreamState, **facts: Any) -> Plan:
    known = {
        "is_whole": True,
        "can_continue": True,
        "cancel_intent": "",
        "recoveries": 1,
        "elapsed_seconds": 2.5,
        **facts,
    }
    return plan_of(spec, state, **known)


def code_of(plan: Plan) -> str | None:
    return None if plan.stop is None else plan.stop.code


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (block(), {}),
        (block("fail"), {}),
        (None, {}),
        (block(), {"recoveries": RECOVERIES_AT_MOST + 1}),
        (block(), {"is_whole": False}),
    ],
)
@pytest.mark.parametrize("by", ["owner", "admin", "abandoned"])
@pytest.mark.parametrize("state", [begun(), StreamState()])
def test_a_cancel_intent_wins_over_everything(
    spec: BlockSpec | None, facts: dict[str, Any], by: Any, state: StreamState
) -> None:
    found = plan(spec, state, cancel_intent=by, **facts)
    assert found.stop == Stop("cancelled", by=by)
    assert found.beginning.state is state
    assert not found.beginning.is_void


@pytest.mark.parametrize("state", [begun(), StreamState()])
def test_without_its_block_a_stream_is_lost(state: StreamState) -> None:
    found = plan(None, state)
    assert code_of(found) == "generator_lost"
    assert found.beginning.state is state  # its text stays


@pytest.mark.parametrize("state", [begun(), StreamState()])
@pytest.mark.parametrize(
    ("recoveries", "code"), [(1, None), (2, None), (3, None), (4, "generator_lost")]
)
def test_a_stream_is_taken_up_three_times(
    state: StreamState, recoveries: int, code: str | None
) -> None:
    assert code_of(plan(block(), state, recoveries=recoveries)) == code


def test_a_block_that_fails_when_its_generator_is_lost_keeps_what_was_said() -> None:
    found = plan(block("fail"), begun())
    assert code_of(found) == "generator_lost"
    assert found.beginning.state.text == "The sky "
    assert not found.beginning.is_void


@pytest.mark.parametrize("state", [begun(), StreamState()])
def test_what_nobody_took_up_in_time_is_overdue(state: StreamState) -> None:
    assert code_of(plan(block(), state, is_overdue=True)) == "deadline_exceeded"
    assert code_of(plan(block("fail"), state, is_overdue=True)) == "deadline_exceeded"


# --- continuations ------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["continue", "restart", "fail"])
def test_what_never_begun_is_a_plain_start(rule: str) -> None:
    found = plan(block(rule), StreamState(seq=99_999))
    assert found.stop is None
    beginning = found.beginning
    assert (beginning.so_far, beginning.is_void, beginning.elapsed_seconds) == ("", False, 0.0)
    assert beginning.state.seq == 99_999  # nothing was said, but its numbers may be used up


@pytest.mark.parametrize(
    ("rule", "state", "facts", "so_far", "is_void"),
    [
        pytest.param("continue", begun(), {}, "The sky ", False, id="from the text so far"),
        pytest.param(
            "continue", begun(), {"can_continue": False}, "", True, id="the provider can't"
        ),
        pytest.param(
            "continue", begun(), {"is_whole": False}, "", True, id="a piece of it is missing"
        ),
        pytest.param("restart", begun(), {}, "", True, id="a block that starts again"),
        pytest.param(
            "restart",
            begun(text="", items=[NODE], arriving={"/nodes/1/label": "Ri"}),
            {"can_continue": False},
            "",
            True,
            id="a structured answer with items",
        ),
        pytest.param(
            "restart",
            begun(text="", arriving={"/title": "W"}),
            {"can_continue": False},
            "",
            True,
            id="a structured answer whose first part is arriving",
        ),
        pytest.param("continue", begun(text=""), {}, "", False, id="begun, and nothing said"),
        pytest.param("restart", begun(text=""), {}, "", False, id="nothing said to take back"),
        pytest.param(
            "continue",
            StreamState(seq=9),
            {"is_whole": False},
            "",
            True,
            id="all that is known is that something was said",
        ),
    ],
)
def test_what_had_begun_goes_on_or_starts_again(
    rule: str, state: StreamState, facts: dict[str, Any], so_far: str, is_void: bool
) -> None:
    found = plan(block(rule), state, **facts)
    assert found.stop is None
    beginning = found.beginning
    assert (beginning.so_far, beginning.is_void) == (so_far, is_void)
    assert beginning.elapsed_seconds == 2.5
    assert beginning.state is state


def test_of_a_block_that_fails_what_is_not_whole_had_begun() -> None:
    assert code_of(plan(block("fail"), StreamState(seq=9), is_whole=False)) == "generator_lost"


# --- the state of a row and a log ---------------------------------------------------------------


def row(**fields: Any) -> Stream:
    values = {"status": "running", "text": "a", "seq": 0, "mark": 99, **fields}
    return Stream(id=STREAM, created_at=timezone.now(), **values)


def logged(first: int, text: str) -> list[Event]:
    return [events.chunk(STREAM, seq, token) for seq, token in enumerate(text, first)]


@pytest.mark.parametrize(
    ("stored", "log", "seq", "text", "is_whole"),
    [
        pytest.param(row(), [], 0, "a", True, id="only the row"),
        pytest.param(row(), logged(0, "abc"), 2, "abc", True, id="the row lags behind the log"),
        pytest.param(row(), logged(0, "a"), 0, "a", True, id="both say the same"),
        pytest.param(row(), logged(1, "bc"), 2, "abc", True, id="the log goes on where it ends"),
        pytest.param(
            row(text="abc", seq=2),
            logged(1, "bc"),
            2,
            "abc",
            True,
            id="they overlap, nothing twice",
        ),
        pytest.param(
            row(text="abc", seq=2), logged(2, "cde"), 4, "abcde", True, id="they overlap in part"
        ),
        pytest.param(row(), logged(2, "cd"), 3, "cd", False, id="something between them is lost"),
        pytest.param(
            row(text="", seq=-1, status="queued"),
            logged(100, "x"),
            100,
            "x",
            False,
            id="nothing but the end of the log",
        ),
    ],
)
def test_a_row_and_its_log_are_added_up(
    stored: Stream, log: list[Event], seq: int, text: str, is_whole: bool
) -> None:
    state, whole = add_up(stored, log)
    assert (state.seq, state.text, whole) == (seq, text, is_whole)
    assert state.status == "running"


def test_a_log_from_the_start_is_believed_whatever_the_row_says() -> None:
    state, is_whole = add_up(row(text="something else", items=[NODE], seq=50), logged(0, "ab"))
    assert (state.text, state.items, state.seq, is_whole) == ("ab", [], 1, True)


def test_items_and_what_arrives_come_from_the_row_and_go_on_from_the_log() -> None:
    stored = row(text="", items=[NODE], arriving={"/nodes/1/label": "Ri"}, seq=3)
    state, is_whole = add_up(stored, [events.chunk(STREAM, 4, "ver", "/nodes/1/label")])
    assert is_whole
    assert (state.items, state.arriving) == ([NODE], {"/nodes/1/label": "River"})


def test_a_row_that_says_nothing_is_one_that_has_not_begun() -> None:
    state, is_whole = add_up(row(text="", seq=-1, status="queued"), [])
    assert (state.status, state.seq, is_whole) == ("queued", -1, True)


def test_an_end_that_the_row_has_not_heard_of_is_part_of_it() -> None:
    end = events.cancelled(STREAM, 2, by="owner")
    state, _ = add_up(row(), [*logged(1, "b"), end])
    assert (state.terminal, state.status, state.text) == (end, "cancelled", "ab")
