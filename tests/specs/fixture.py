"""Builds the JSON documents that other languages test against: golden runs, cursors, commands."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streaming.protocol import events
from streaming.protocol.commands import InvalidCommand, Unreadable, parse_command
from streaming.protocol.cursor import InvalidCursor, cursor_from_header, seq_from_text
from streaming.protocol.events import Event
from streaming.protocol.frames import Frame
from streaming.protocol.state import StreamState
from streaming.protocol.viewer import Viewer, is_at_end
from tests.specs import wire_texts
from tests.specs.dialect_documents import documents_of_dialects
from tests.specs.golden_run import GoldenRun
from tests.specs.structured_runs import STRUCTURED_RUNS
from tests.specs.text_runs import TEXT_RUNS

FIXTURES = Path(__file__).parents[2] / "specs" / "050-live-ai-interaction" / "fixtures"
RUNS: tuple[GoldenRun, ...] = TEXT_RUNS + STRUCTURED_RUNS


def documents() -> dict[str, str]:
    """Map file name to exact text, for every generated fixture."""
    made: dict[str, Any] = {f"run-{run.name}.json": document_of_run(run) for run in RUNS}
    made["cursors.json"] = document_of_cursors()
    made["commands.json"] = document_of_commands()
    made |= documents_of_dialects(RUNS)
    # Only ASCII: line separators and emoji survive every editor and every diff.
    return {name: json.dumps(document, indent=1) + "\n" for name, document in made.items()}


def document_of_run(run: GoldenRun) -> dict[str, Any]:
    frames = watch(run)
    return {
        "name": run.name,
        "description": run.description,
        "head": asdict(run.head),
        "row": run.row.to_dict() if run.row else None,
        "events": [event.to_dict() for event in run.events],
        **({"queue": run.queue} if run.queue else {}),
        **({"thinking": run.thinking} if run.thinking else {}),
        "watched": "afterwards" if run.is_over else "live",
        "sse": [frame.sse.decode() for frame in frames],
        "websocket": [frame.websocket for frame in frames],
        "final": final_of([frame.event for frame in frames]),
        "attaches": [document_of_attach(run, after) for after in run.attaches],
    }


def watch(run: GoldenRun, after: int = -1) -> list[Frame]:
    """Return the frames for a viewer with a cursor: event by event, or all after the end."""
    window = run.window(None if run.is_over else 0)
    viewer = Viewer(window, after)
    frames = [viewer.open(), *viewer.take(), *queue(run, viewer), *think(run, viewer)]
    for event in () if run.is_over else run.events:
        window.append(event)
        frames += [*viewer.take(), *think(run, viewer)]
    return frames


def queue(run: GoldenRun, viewer: Viewer) -> list[Frame]:
    """Return the frames of the wait for a place on a full server."""
    frames = []
    for place in run.queue:
        viewer.window.tell(events.queue(run.head.stream_id, place=place))
        frames += viewer.take()
    return frames


def think(run: GoldenRun, viewer: Viewer) -> list[Frame]:
    """Return the frames of the thinking that follows the window's last event."""
    window, frames = viewer.window, []
    for after, since_ms in run.thinking:
        if after == window.last:
            window.tell(events.thinking(run.head.stream_id, since_ms=since_ms))
            frames += viewer.take()
    return frames


def final_of(received: list[Event]) -> dict[str, Any]:
    state = StreamState()
    for event in received:
        state.apply(event)
    return {
        "text": state.text,
        "items": state.items,
        "arriving": state.arriving,
        "seq": state.seq,
        "status": state.status,
        "terminal": state.terminal.to_dict() if state.terminal else None,
    }


def document_of_attach(run: GoldenRun, after: int) -> dict[str, Any]:
    """Return the frames for a viewer that attaches with a cursor after the run's last event."""
    window = run.window()
    try:
        has_all = is_at_end(window, after)
    except InvalidCursor:
        return {"after": after, "refused": "invalid_cursor"}
    viewer = Viewer(window, after)
    frames = [viewer.open(), *viewer.take()]
    return {
        "after": after,
        "http_status": 204 if has_all else 200,
        "sse": [] if has_all else [frame.sse.decode() for frame in frames],
        "websocket": [frame.websocket for frame in frames],
    }


def document_of_cursors() -> dict[str, Any]:
    return {
        "name": "cursors",
        "description": "Texts of Last-Event-ID and of `after`, and what they mean.",
        "last_event_ids": [_read_header(text) for text in wire_texts.LAST_EVENT_IDS],
        "afters": [_read_after(text) for text in wire_texts.AFTERS],
    }


def _read_header(text: str) -> dict[str, Any]:
    try:
        return {"text": text, "cursor": asdict(cursor_from_header(text))}
    except InvalidCursor:
        return {"text": text, "refused": "invalid_cursor"}


def _read_after(text: str) -> dict[str, Any]:
    try:
        return {"text": text, "seq": seq_from_text(text)}
    except InvalidCursor:
        return {"text": text, "refused": "invalid_cursor"}


def document_of_commands() -> dict[str, Any]:
    return {
        "name": "commands",
        "description": "Text frames of a client: the command that each is, or the code of its"
        " refusal with what the refusal repeats.",
        "frames": [_read_command(text) for text in wire_texts.COMMANDS],
    }


def _read_command(text: str) -> dict[str, Any]:
    try:
        command = parse_command(text)
    except Unreadable:
        return {"frame": text, "refused": {"code": "malformed", "echo": {}}}
    except InvalidCommand as error:
        return {"frame": text, "refused": {"code": error.code, "echo": error.echo}}
    return {"frame": text, "command": {"type": type(command).__name__.lower(), **asdict(command)}}
