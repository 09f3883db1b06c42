"""The definition of a golden run: the logged events of one stream, and its viewers' times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streaming.protocol import events
from streaming.protocol.events import Event, StreamHead
from streaming.protocol.state import StreamState
from streaming.protocol.window import Window

STREAM_ID = "Zm9ydHktdHdvLXN0cmVhbQ"
HEAD = StreamHead(
    stream_id=STREAM_ID,
    block_type="ask-question",
    model="scripted:golden",
    created_at="2026-01-02T03:04:05.678Z",
)


@dataclass(frozen=True)
class Row:
    """A row's data of a stream whose log is gone; `seq` is the number before its next event."""

    seq: int
    status: str
    text: str = ""
    items: tuple[dict[str, Any], ...] = ()
    arriving: tuple[tuple[str, str], ...] = ()

    def to_state(self) -> StreamState:
        return StreamState(
            seq=self.seq,
            status=self.status,  # type: ignore[arg-type]  # a word of the contract
            text=self.text,
            items=self.items,
            arriving=dict(self.arriving),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "status": self.status,
            "text": self.text,
            "items": list(self.items),
            "arriving": dict(self.arriving),
        }


@dataclass(frozen=True)
class GoldenRun:
    """One stream, written out.

    `row`: the known data if the log is incomplete, else None. `is_over`: the viewer of `sse` and
    `websocket` attached after the last event instead of before the first. `attaches`: cursors of
    further viewers, which all attach after the last event. `thinking`: seqs, and the `since_ms`
    that viewers are told after the event with that seq. `queue`: the places in line that viewers
    are told one after another before all that.
    """

    name: str
    description: str
    events: tuple[Event, ...]
    head: StreamHead = HEAD
    row: Row | None = None
    is_over: bool = False
    attaches: tuple[int, ...] = ()
    thinking: tuple[tuple[int, int], ...] = ()
    queue: tuple[int, ...] = ()

    def window(self, upto: int | None = None) -> Window:
        """The window after the first `upto` events (all of them when not given)."""
        window = Window(self.head, self.row.to_state() if self.row else None)
        for event in self.events[:upto]:
            window.append(event)
        return window


class Script:
    """Numbers the events of a run in order."""

    def __init__(self, *, after: int = -1) -> None:
        self.seq = after
        self.events: list[Event] = []

    def add(self, make: Callable[..., Event], *args: Any, **kwargs: Any) -> Script:
        self.seq += 1
        self.events.append(make(STREAM_ID, self.seq, *args, **kwargs))
        return self

    def chunks(self, *tokens: str, path: str | None = None) -> Script:
        for token in tokens:
            self.add(events.chunk, token, path)
        return self

    def item(self, path: str, value: Any) -> Script:
        return self.add(events.item, path, value)

    def complete(self, **fields: Any) -> tuple[Event, ...]:
        defaults = {
            "finish_reason": "stop",
            "input_tokens": 12,
            "output_tokens": 34,
            "ttft_ms": 56,
            "duration_ms": 789,
        }
        return tuple(self.add(events.complete, **(defaults | fields)).events)

    def error(self, code: str, message: str, *, retryable: bool) -> tuple[Event, ...]:
        return tuple(self.add(events.error, code=code, message=message, retryable=retryable).events)

    def cancelled(self, by: str) -> tuple[Event, ...]:
        return tuple(self.add(events.cancelled, by=by).events)
