"""Stream events, and the constructors that define their fields.

Source: specs/050-live-ai-interaction/spec.md, "Events"; contracts/stream-schema.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Status = Literal["queued", "running", "complete", "error", "cancelled"]
CancelledBy = Literal["owner", "admin", "abandoned"]

TERMINAL_TYPES = frozenset({"complete", "error", "cancelled"})
LOGGED_TYPES = TERMINAL_TYPES | {"chunk", "item", "reset"}
ASIDE_TYPES = frozenset({"thinking", "queue"})


class Event(msgspec.Struct, frozen=True, gc=False):
    """One immutable stream event.

    `seq` is the event's number in the stream's log; it is None for unlogged events. A snapshot has
    its seq in `fields`, because it is a cursor and not a log position.
    """

    type: str
    stream_id: str | None
    seq: int | None
    fields: Mapping[str, Any]

    @property
    def is_terminal(self) -> bool:
        return self.type in TERMINAL_TYPES

    def to_dict(self) -> dict[str, Any]:
        """Return the event in its wire format."""
        if self.seq is not None:
            return {
                "type": self.type, "stream_id": self.stream_id, "seq": self.seq, **self.fields,
            }  # fmt: skip
        data: dict[str, Any] = {"type": self.type}
        if self.stream_id is not None:
            data["stream_id"] = self.stream_id
        data.update(self.fields)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Event:
        """Invert `to_dict` for logged events."""
        fields = {k: v for k, v in data.items() if k not in ("type", "stream_id", "seq")}
        return cls(data["type"], data["stream_id"], data["seq"], fields)


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Stream metadata that a viewer receives before any event."""

    stream_id: str  # 22 URL-safe characters
    block_type: str
    model: str
    created_at: str  # RFC 3339, UTC
    request_id: str | None = None
    continues: str | None = None  # the stream whose answer this one continues
    sample: str | None = None  # the name of the sample answer that it replays


# --- logged ---------------------------------------------------------------------


def chunk(stream_id: str, seq: int, token: str, path: str | None = None) -> Event:
    fields = {"token": token} if path is None else {"path": path, "token": token}
    return Event("chunk", stream_id, seq, fields)


def merged_chunk(stream_id: str, first_seq: int, seq: int, token: str, path: str | None) -> Event:
    """Merge consecutive chunks of one path into one event, for a viewer that lags."""
    fields: dict[str, Any] = {"first_seq": first_seq}
    if path is not None:
        fields["path"] = path
    fields["token"] = token
    return Event("chunk", stream_id, seq, fields)


def item(stream_id: str, seq: int, path: str, value: Any) -> Event:
    return Event("item", stream_id, seq, {"path": path, "value": value})


def reset(stream_id: str, seq: int, reason: Literal["retry", "recovered"]) -> Event:
    return Event("reset", stream_id, seq, {"reason": reason})


def complete(
    stream_id: str,
    seq: int,
    *,
    finish_reason: Literal["stop", "length", "repetition"],
    input_tokens: int,
    output_tokens: int,
    is_estimated: bool = False,
    ttft_ms: int | None,
    duration_ms: int,
    result: Mapping[str, Any] | None = None,
    dropped: Mapping[str, int] | None = None,
) -> Event:
    """Build the terminal event of a finished answer.

    Args:
        result, dropped: for structured answers only.
    """
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    fields: dict[str, Any] = {
        "finish_reason": finish_reason,
        "usage": usage | {"estimated": True} if is_estimated else usage,
        "ttft_ms": ttft_ms,
        "duration_ms": duration_ms,
    }
    if result is not None:
        fields["result"] = result
        fields["dropped"] = dict(dropped or {})
    return Event("complete", stream_id, seq, fields)


def error(stream_id: str, seq: int, *, code: str, message: str, retryable: bool) -> Event:
    return Event(
        "error", stream_id, seq, {"code": code, "message": message, "retryable": retryable}
    )


def cancelled(stream_id: str, seq: int, *, by: CancelledBy) -> Event:
    return Event("cancelled", stream_id, seq, {"by": by})


# --- not logged -------------------------------------------------------------------


def start(head: StreamHead, *, status: str, after: int, ref: str | None = None) -> Event:
    """Build the first event that each viewer receives."""
    fields: dict[str, Any] = {
        "block_type": head.block_type,
        "model": head.model,
        "status": status,
        "after": after,
        "created_at": head.created_at,
        "request_id": head.request_id,
        "continues": head.continues,
    }
    if head.sample is not None:
        fields["sample"] = head.sample
    if ref is not None:
        fields["ref"] = ref
    return Event("start", head.stream_id, None, fields)


def snapshot(
    stream_id: str,
    *,
    seq: int,
    status: str,
    text: str,
    items: list[dict[str, Any]],
    arriving: Mapping[str, str],
) -> Event:
    """Replace all state that the viewer holds, and set its cursor to `seq` unconditionally."""
    return Event(
        "snapshot",
        stream_id,
        None,
        {
            "seq": seq,
            "status": status,
            "text": text,
            "items": items,
            "arriving": dict(arriving),
        },
    )


def thinking(stream_id: str, *, since_ms: int) -> Event:
    """Tell that the model reasons, and has been reasoning for so long. An aside."""
    return Event("thinking", stream_id, None, {"since_ms": since_ms})


def queue(stream_id: str, *, place: int) -> Event:
    """Tell that the stream waits for a place on a full server; 1 is the next one. An aside."""
    return Event("queue", stream_id, None, {"place": place})


def reconnect(stream_id: str | None, *, retry_ms: int) -> Event:
    """Tell the client that this connection ends now, and that it should resume at its cursor."""
    return Event("reconnect", stream_id, None, {"retry_ms": retry_ms})


def code_of(terminal: Event) -> str:
    """Return what a terminal event says in a word: finish reason, error code, or by whom."""
    fields = terminal.fields
    return str(fields.get("finish_reason") or fields.get("code") or fields.get("by") or "")
