"""The state that events add up to, step by step."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.state import StreamState
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun
from tests.support.streaming.protocol_client import summary


def _state(*log: Event) -> StreamState:
    state = StreamState()
    for event in log:
        state.apply(event)
    return state


def test_nothing_yet_is_queued_and_holds_nothing() -> None:
    state = StreamState()
    assert (state.seq, state.status, state.text, state.items) == (-1, "queued", "", [])
    assert state.arriving == {} and state.terminal is None


@given(st.lists(st.text(max_size=5), min_size=1))
def test_text_is_all_tokens_in_a_row(tokens: list[str]) -> None:
    state = StreamState()
    for seq, token in enumerate(tokens):
        state.apply(events.chunk(STREAM_ID, seq, token))
        assert state.text == "".join(tokens[: seq + 1])
    assert (state.status, state.seq) == ("running", len(tokens) - 1)


def test_chunks_of_a_path_fill_arriving_and_its_item_empties_it() -> None:
    log = [
        events.chunk(STREAM_ID, 0, "Pla", "/title"),
        events.chunk(STREAM_ID, 1, "nets", "/title"),
        events.chunk(STREAM_ID, 2, "x", "/subtitle"),
    ]
    assert _state(*log).arriving == {"/title": "Planets", "/subtitle": "x"}
    assert _state(*log).text == ""
    state = _state(*log, events.item(STREAM_ID, 3, "/title", "Planets"))
    assert state.arriving == {}
    assert state.items == [{"path": "/title", "value": "Planets"}]


def test_a_void_item_empties_arriving_and_frees_its_path() -> None:
    log = [
        events.chunk(STREAM_ID, 0, "bad", "/nodes/0/label"),
        events.item(STREAM_ID, 1, "/nodes/0", None),
    ]
    assert summary(_state(*log)) | {"seq": 0} == summary(StreamState(status="running")) | {"seq": 0}
    again = _state(*log, events.item(STREAM_ID, 2, "/nodes/0", {"id": "a"}))
    assert again.items == [{"path": "/nodes/0", "value": {"id": "a"}}]


@pytest.mark.parametrize("value", [False, 0, "", [], {}])
def test_a_value_that_is_false_is_no_void(value: object) -> None:
    assert _state(events.item(STREAM_ID, 0, "/a", value)).items == [{"path": "/a", "value": value}]


def test_items_stand_in_the_order_in_which_they_came() -> None:
    state = _state(
        events.item(STREAM_ID, 0, "/b", 1),
        events.item(STREAM_ID, 1, "/a", 2),
        events.item(STREAM_ID, 2, "/b", 3),
    )
    assert [item["path"] for item in state.items] == ["/a", "/b"]


def test_a_reset_voids_text_items_and_arriving() -> None:
    state = _state(
        events.chunk(STREAM_ID, 0, "text"),
        events.item(STREAM_ID, 1, "/a", 1),
        events.chunk(STREAM_ID, 2, "x", "/b"),
        events.reset(STREAM_ID, 3, "retry"),
    )
    assert (state.text, state.items, state.arriving, state.seq) == ("", [], {}, 3)


def test_a_snapshot_replaces_everything_and_sets_the_cursor_back() -> None:
    state = _state(
        events.chunk(STREAM_ID, 0, "old"),
        events.item(STREAM_ID, 1, "/a", 1),
        events.cancelled(STREAM_ID, 9, by="owner"),
        events.snapshot(
            STREAM_ID,
            seq=4,
            status="running",
            text="new",
            items=[{"path": "/b", "value": 2}],
            arriving={"/c": "gro"},
        ),
    )
    assert summary(state) == {
        "seq": 4,
        "status": "running",
        "text": "new",
        "items": [{"path": "/b", "value": 2}],
        "arriving": {"/c": "gro"},
        "terminal": None,
    }
    state.apply(events.chunk(STREAM_ID, 5, "wing", "/c"))
    assert state.arriving == {"/c": "growing"}


def test_an_end_keeps_what_came_and_empties_what_was_arriving() -> None:
    end = events.error(STREAM_ID, 2, code="internal", message="Sorry", retryable=True)
    state = _state(events.item(STREAM_ID, 0, "/a", 1), events.chunk(STREAM_ID, 1, "x", "/b"), end)
    assert (state.status, state.terminal, state.arriving) == ("error", end, {})
    assert state.items == [{"path": "/a", "value": 1}]


def test_a_stream_that_is_stopped_at_once_was_never_running() -> None:
    assert _state(events.cancelled(STREAM_ID, 0, by="owner")).status == "cancelled"


def test_what_is_not_logged_changes_nothing() -> None:
    state = _state(events.chunk(STREAM_ID, 0, "x"))
    before = summary(state)
    state.apply(events.start(HEAD, status="complete", after=7))
    state.apply(events.reconnect(STREAM_ID, retry_ms=1))
    assert summary(state) == before


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_state_can_be_handed_on_at_any_point(run: GoldenRun) -> None:
    for cut in range(len(run.events)):
        before = run.window(cut).state
        copy = StreamState(
            seq=before.seq,
            status=before.status,
            text=before.text,
            items=before.items,
            arriving=before.arriving,
        )
        for event in run.events[cut:]:
            copy.apply(event)
        assert summary(copy) == summary(run.window().state)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_items_as_json_are_the_items_after_each_event(run: GoldenRun) -> None:
    state = run.window(0).state
    for event in run.events:
        state.apply(event)
        assert json.loads(state.items_json) == state.items


def test_items_as_json_follow_replaced_and_void_items_and_a_reset() -> None:
    state, seq = StreamState(), itertools.count()

    def item(path: str, value: Any) -> None:
        state.apply(events.item(STREAM_ID, next(seq), path, value))
        assert json.loads(state.items_json) == state.items

    for path, value in [("/a", 1), ("/b", {"x": "\u20ac\n"}), ("/c", [0])]:
        item(path, value)
    item("/a", 2)  # last now
    assert [each["path"] for each in state.items] == ["/b", "/c", "/a"]
    item("/b", None)
    item("/d", False)
    state.apply(events.reset(STREAM_ID, next(seq), "retry"))
    assert state.items_json == "[]"
    item("/e", 0)
