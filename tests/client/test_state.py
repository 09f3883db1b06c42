"""The client's reducer, held to the specification's golden runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from liveai.client.events import Chunk, Item, Reset, Snapshot, Status, Terminal
from liveai.client.state import AnswerState, Broken
from tests.specs.fixture import FIXTURES

RUNS = sorted(FIXTURES.glob("run-*.json"))


def _name(path: Path) -> str:
    return path.stem


def _held(state: AnswerState) -> dict[str, Any]:
    return {
        "text": state.text,
        "items": [dict(item) for item in state.items],
        "arriving": state.arriving,
        "seq": state.seq,
    }


def _reduced(frames: list[str], state: AnswerState | None = None) -> AnswerState:
    state = state or AnswerState()
    for frame in frames:
        state.apply(json.loads(frame))
    return state


@pytest.mark.parametrize("path", RUNS, ids=_name)
def test_a_golden_run_becomes_its_final_state_with_one_terminal(path: Path) -> None:
    run = json.loads(path.read_text("utf-8"))
    final = run["final"]
    terminal, status = final.pop("terminal"), final.pop("status")
    state = _reduced(run["websocket"])
    assert _held(state) == final
    if terminal is None:
        assert state.terminal is None
        return
    end = state.terminal
    assert end is not None
    assert (end.status, end.seq, end.text) == (status, terminal["seq"], final["text"])
    for name in ("code", "message", "finish_reason", "usage", "result", "dropped", "by"):
        assert getattr(end, name) == terminal.get(name)
    assert state.apply(run["events"][0]) is None  # nothing follows


@pytest.mark.parametrize("path", RUNS, ids=_name)
def test_attaching_anywhere_gives_the_same_state(path: Path) -> None:
    run = json.loads(path.read_text("utf-8"))
    final = {name: run["final"][name] for name in ("text", "items", "arriving", "seq")}
    before = [json.loads(frame) for frame in run["websocket"]]
    for attach in run["attaches"]:
        if "refused" in attach or attach["http_status"] == 204:
            continue
        state = AnswerState()
        for event in before:
            if event.get("seq", -1) <= attach["after"]:
                state.apply(event)
        state.seq = attach["after"]
        assert _held(_reduced(attach["websocket"], state)) == final


def _event(kind: str, seq: int | None = None, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "stream_id": "s" * 22, "seq": seq, **fields}


def test_the_events_of_a_caller_have_their_own_types() -> None:
    state = AnswerState()
    head = {"block_type": "quiz", "model": "m", "after": -1}
    asides = [
        _event("start", status="queued", **head),
        _event("queue", place=2),
        _event("thinking", since_ms=5),
    ]
    assert [state.apply(event) for event in asides] == [
        Status("s" * 22, -1, "queued"),
        Status("s" * 22, -1, "queued", place=2),
        Status("s" * 22, -1, "running", thinking_ms=5),
    ]
    assert state.apply(_event("start", status="running", **head)) is None  # a further line
    logged = [
        _event("chunk", 0, token="a", path="/x"),
        _event("item", 1, path="/x", value="ab"),
        _event("reset", 2, reason="retry"),
        _event("cancelled", 3, by="admin"),
    ]
    kinds = [type(state.apply(event)) for event in logged]
    assert kinds == [Chunk, Item, Reset, Terminal]


def test_a_snapshot_replaces_everything() -> None:
    state = _reduced([json.dumps(_event("chunk", 0, token="old"))])
    items = [{"path": "/a", "value": 1}]
    event = state.apply(
        _event("snapshot", 7, status="running", text="new", items=items, arriving={"/b": "c"})
    )
    assert event == Snapshot("s" * 22, 7, "new", tuple(items), {"/b": "c"})
    assert (state.text, state.items, state.arriving) == ("new", tuple(items), {"/b": "c"})
    assert state.seq == 7


def test_an_event_that_comes_again_adds_nothing() -> None:
    state = AnswerState()
    assert state.apply(_event("chunk", 0, token="a")) is not None
    assert state.apply(_event("chunk", 0, token="a")) is None
    assert state.text == "a"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(_event("chunk", 1, token="a"), id="one-is-missing"),
        pytest.param(_event("chunk", 3, token="abc", first_seq=1), id="some-are-missing"),
        pytest.param(_event("chunk", "0", token="a"), id="no-number"),
        pytest.param(_event("chunk", 0), id="no-token"),
        pytest.param({"stream_id": "s" * 22}, id="no-type"),
    ],
)
def test_an_event_that_does_not_fit_breaks_the_line(event: dict[str, Any]) -> None:
    state = AnswerState()
    with pytest.raises(Broken):
        state.apply(event)
    assert (state.seq, state.text) == (-1, "")


def test_an_unknown_type_is_left_out() -> None:
    assert AnswerState().apply(_event("from-the-future", 0)) is None
