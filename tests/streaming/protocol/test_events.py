"""Events have the fields of the contract, in its order."""

from __future__ import annotations

import pytest

from streaming.protocol import events
from streaming.protocol.events import LOGGED_TYPES, TERMINAL_TYPES, Event
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_logged_event_comes_back_from_its_wire_form(run: GoldenRun) -> None:
    for event in run.events:
        assert Event.from_dict(event.to_dict()) == event
        assert event.type in LOGGED_TYPES


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_fields_of_an_event_begin_with_type_stream_and_seq(run: GoldenRun) -> None:
    for event in run.events:
        assert list(event.to_dict())[:3] == ["type", "stream_id", "seq"]


def test_an_event_is_immutable() -> None:
    with pytest.raises(AttributeError):
        events.chunk(STREAM_ID, 0, "x").seq = 1  # type: ignore[misc]


def test_exactly_the_three_ends_are_terminal() -> None:
    assert frozenset({"complete", "error", "cancelled"}) == TERMINAL_TYPES
    assert events.cancelled(STREAM_ID, 0, by="owner").is_terminal
    assert not events.reset(STREAM_ID, 0, "retry").is_terminal


def test_a_start_names_its_request_and_repeats_a_ref_only_where_one_was_given() -> None:
    plain = events.start(HEAD, status="queued", after=-1).to_dict()
    assert plain["request_id"] is None
    assert "ref" not in plain and "seq" not in plain
    assert events.start(HEAD, status="queued", after=-1, ref="").to_dict()["ref"] == ""
    assert events.start(HEAD, status="queued", after=3, ref="r").to_dict()["ref"] == "r"


def test_only_structured_answers_have_result_and_dropped() -> None:
    numbers = {"input_tokens": 1, "output_tokens": 2, "ttft_ms": None, "duration_ms": 3}
    text = events.complete(STREAM_ID, 0, finish_reason="stop", **numbers)  # type: ignore[arg-type]
    assert not {"result", "dropped"} & set(text.fields)
    quiz = events.complete(
        STREAM_ID,
        0,
        finish_reason="stop",
        result={},
        **numbers,  # type: ignore[arg-type]
    )
    assert quiz.fields["result"] == {} and quiz.fields["dropped"] == {}


def test_a_reconnect_on_an_idle_socket_names_no_stream() -> None:
    assert events.reconnect(None, retry_ms=1000).to_dict() == {
        "type": "reconnect",
        "retry_ms": 1000,
    }
    assert events.reconnect(STREAM_ID, retry_ms=5).to_dict()["stream_id"] == STREAM_ID
