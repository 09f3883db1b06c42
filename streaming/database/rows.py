"""Conversions between rows and events: a row to a window, and a state to columns."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

from ..models import Stream
from ..protocol.events import Event, Status, StreamHead, code_of
from ..protocol.state import StreamState
from ..protocol.window import Window


def format_time(value: datetime | None) -> str | None:
    """Format a UTC time as RFC 3339, with milliseconds."""
    if value is None:
        return None
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def head_of(row: Stream) -> StreamHead:
    return StreamHead(
        stream_id=row.id,
        block_type=row.block_type,
        model=row.model,
        created_at=format_time(row.created_at) or "",
        request_id=row.request_id,
        continues=row.continues,
        sample=row.sample or None,
    )


def base_of(row: Stream) -> StreamState:
    """Return the state that the row's window starts from.

    An ended row yields the state just before its terminal event. A running row yields the state at
    the seq that it includes, which was logged even if the generator has died since. (`mark` may lie
    beyond the end of a stream whose generator is alive.)
    """
    if row.terminal is None:
        return state_of(row)
    return StreamState(
        seq=row.terminal["seq"] - 1,
        status="running",
        text="" if row.result is not None else row.text,
        items=row.items,
        arriving={},
    )


def state_of(row: Stream) -> StreamState:
    """Return the state stored in a running row, at the seq that it includes."""
    return StreamState(
        seq=row.seq,
        status=cast(Status, row.status),
        text=row.text,
        items=row.items,
        arriving=row.arriving,
    )


def window_of(row: Stream) -> Window:
    """Return the window of a stream of which only the row is available."""
    window = Window(head_of(row), base_of(row))
    if row.terminal is not None:
        window.append(Event.from_dict(row.terminal))
    return window


class EncodedJson(str):
    """The value of a JSON column, ready to be written."""

    __slots__ = ()


def columns_of(state: StreamState, *, is_encoded: bool = False) -> dict[str, Any]:
    """Return the row columns that derive from a stream's state.

    Args:
        is_encoded: return the items as `EncodedJson`, which costs no more the more there are.
    """
    columns: dict[str, Any] = {
        "seq": state.seq,
        "status": state.status,
        "text": state.text,
        "items": EncodedJson(state.items_json) if is_encoded else state.items,
        "arriving": state.arriving,
        "result": None,
        "terminal": None,
    }
    if state.terminal is not None:
        columns["terminal"] = state.terminal.to_dict()
        columns["code"] = code_of(state.terminal)
        # A copy must not outlive its use either: what it was copied from may be deleted.
        columns["earlier"] = None
        result = state.terminal.fields.get("result")
        if result is not None:
            columns["result"] = result
            columns["text"] = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return columns


NO_KEYS = {"owner_key": "", "address_key": ""}
"""Set with `ended_at`: an ended stream holds no place, and a key must not outlive its use."""

USAGE_COLUMNS = ("input_tokens", "output_tokens", "usage_is_estimated")


def usage_columns_of(terminal: Event) -> dict[str, Any]:
    """Return the columns for a terminal event's usage; empty if it has none."""
    usage = terminal.fields.get("usage")
    if usage is None:
        return {}
    values = (usage["input_tokens"], usage["output_tokens"], usage.get("estimated", False))
    return dict(zip(USAGE_COLUMNS, values, strict=True))


_STATE_COLUMNS = ("seq", "status", "text", "items", "arriving", "result", "terminal")


def describe(
    row: Stream, state: StreamState | None = None, *, without: Collection[str] = ()
) -> dict[str, Any]:
    """Build the stream document. Source: spec.md, "HTTP", `GET /api/streams/{id}`.

    Args:
        state: the state from the stream's log, if available; otherwise the row's columns are used.
        without: members to leave out.
    """
    if state is None:
        columns = {name: getattr(row, name) for name in _STATE_COLUMNS}
    else:
        columns = columns_of(state)
    terminal = columns["terminal"] or {}
    usage = None
    if row.input_tokens is not None:
        usage = {"input_tokens": row.input_tokens, "output_tokens": row.output_tokens}
        if row.usage_is_estimated:
            usage["estimated"] = True
    error = None
    if columns["status"] == "error":
        error = {key: terminal[key] for key in ("code", "message", "retryable")}
    data: dict[str, Any] = {
        "stream_id": row.id,
        "block_type": row.block_type,
        "prompt": row.prompt,
        "options": row.options,
        "model": row.model,
        "status": columns["status"],
        "text": columns["text"],
        "items": columns["items"],
        "arriving": columns["arriving"],
        "result": columns["result"],
        "seq": columns["seq"],
        "created_at": format_time(row.created_at),
        "started_at": format_time(row.started_at),
        "ended_at": format_time(row.ended_at) if terminal else None,
        "ttft_ms": row.ttft_ms,
        "usage": usage,
        "finish_reason": terminal.get("finish_reason"),
        "dropped": terminal.get("dropped"),
        "error": error,
        "request_id": row.request_id,
        "continues": row.continues,
        "sample": row.sample or None,
    }
    for name in without:
        del data[name]
    return data
