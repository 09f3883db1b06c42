"""Correct histories, built from the golden runs, which the checker must accept."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

from streaming.protocol.events import ASIDE_TYPES
from tests.support.faults.history import Connection, Event, StreamHistory, Viewing
from tests.support.faults.replay import State

FIXTURES = Path(__file__).parents[3] / "specs" / "050-live-ai-interaction" / "fixtures"


@cache
def golden_runs() -> dict[str, dict[str, Any]]:
    """Map names to runs, for those that reached their end."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted(FIXTURES.glob("run-*.json"))]
    return {run["name"]: run for run in runs if run["final"]["terminal"] is not None}


def frames_of(run: dict[str, Any]) -> list[Event]:
    """Return the golden viewer's events, starting with its `start`, without unlogged asides."""
    events = [json.loads(text) for text in run["websocket"]]
    return [event for event in events if event["type"] not in ASIDE_TYPES]


def row_of(run: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an ended run, with the members that the checker reads."""
    final = run["final"]
    end = final["terminal"]
    members = ("code", "message", "retryable")
    result = end.get("result")
    return {
        "stream_id": run["head"]["stream_id"],
        "status": end["type"],
        "seq": end["seq"],
        "text": final["text"] if result is None else json.dumps(result),
        "items": final["items"],
        "arriving": {},
        "result": result,
        "usage": end.get("usage"),
        "finish_reason": end.get("finish_reason"),
        "error": {name: end[name] for name in members} if end["type"] == "error" else None,
    }


def history_of(run: dict[str, Any], *viewings: Viewing) -> StreamHistory:
    return StreamHistory(
        stream_id=run["head"]["stream_id"],
        viewings=list(viewings),
        log=frames_of(run),
        row=row_of(run),
        calls=1,
    )


def watch(run: dict[str, Any], rng: random.Random, *, drops: int, merge: bool) -> Viewing:
    """Simulate a viewer that drops its connection at random points.

    With `merge`, adjacent chunks arrive as one after each return, as for a viewer that is behind.
    """
    start, *events = frames_of(run)
    viewing = Viewing(f"viewer {rng.random():.4f}")
    cursor, place = start["after"], 0
    points = [*sorted(rng.randrange(len(events)) for _ in range(drops)), len(events)]
    for number, point in enumerate(points):
        taken = events[place:point]
        if merge:
            taken = _merge(taken, rng)
        ended_by = "drop" if number < drops else "terminal"
        connection = Connection(
            rng.choice(["sse", "websocket"]), 1, cursor, float(number), ended_by=ended_by
        )
        connection.events = [{**start, "after": cursor}, *taken]
        connection.times = [float(number)] * len(connection.events)
        viewing.connections.append(connection)
        place = point
        cursor = taken[-1]["seq"] if taken else cursor
    return viewing


def _merge(events: list[Event], rng: random.Random) -> list[Event]:
    merged: list[Event] = []
    for event in events:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last["type"] == event["type"] == "chunk"
            and last.get("path") == event.get("path")
            and rng.random() < 0.7
        ):
            first = last.get("first_seq", last["seq"])
            token = last["token"] + event["token"]
            merged[-1] = {**event, "first_seq": first, "token": token}
        else:
            merged.append(event)
    return merged


def tale(count: int = 30) -> dict[str, Any]:
    """Build a run of plain text with `count` tokens and a `reset` in its middle."""
    stream_id = "dGFsZS1vZi10aGUtc2Vh"
    head = {"stream_id": stream_id, "block_type": "tale", "model": "m", "request_id": None}
    events: list[Event] = [
        {"type": "chunk", "stream_id": stream_id, "seq": seq, "token": f"w{seq} über "}
        for seq in range(count)
    ]
    events[count // 2] = {
        "type": "reset",
        "stream_id": stream_id,
        "seq": count // 2,
        "reason": "recovered",
    }
    usage = {"input_tokens": 3, "output_tokens": count}
    end = {"type": "complete", "stream_id": stream_id, "seq": count, "finish_reason": "stop"}
    events.append({**end, "usage": usage, "ttft_ms": 1, "duration_ms": 2})
    state = State()
    for event in events:
        state = state.after(event)
    start = {"type": "start", **head, "status": "running", "after": -1}
    return {
        "name": "tale",
        "head": head,
        "websocket": [json.dumps(frame) for frame in (start, *events)],
        "final": {"text": state.text, "items": [], "terminal": events[-1]},
    }
