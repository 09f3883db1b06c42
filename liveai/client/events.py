"""What a caller gets of an answer, as frozen dataclasses.

Source: specs/050-live-ai-interaction/spec.md, "Events"; contracts/stream-schema.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Running = Literal["queued", "running"]
Ended = Literal["complete", "error", "cancelled"]


@dataclass(frozen=True, slots=True)
class Status:
    """The stream exists, waits, or its model reasons. It adds nothing to the answer."""

    stream_id: str
    seq: int  # of the last logged event; -1: none yet
    status: Running | Ended
    place: int | None = None  # in the line of a full server; 1 is the next one
    thinking_ms: int | None = None  # for how long the model has been reasoning


@dataclass(frozen=True, slots=True)
class Chunk:
    """More text: of the answer, or of the string at `path` in the part that arrives."""

    stream_id: str
    seq: int
    token: str
    path: str | None = None  # JSON Pointer, in structured answers
    first_seq: int | None = None  # neighbours were merged for a client that is behind: their first


@dataclass(frozen=True, slots=True)
class Item:
    """The part at `path` is complete and valid; `value` None: it is void."""

    stream_id: str
    seq: int
    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Reset:
    """Everything before is void: the model begins again."""

    stream_id: str
    seq: int
    reason: str  # `retry`, `recovered`


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Replaces everything before. Only sent where the server no longer has the events between."""

    stream_id: str
    seq: int
    text: str
    items: tuple[Mapping[str, Any], ...]  # {path, value}, in order of arrival
    arriving: Mapping[str, str]  # the strings so far, by path, of the part that arrives


@dataclass(frozen=True, slots=True)
class Terminal:
    """The end, and the whole answer. Each answer has one, and nothing follows it."""

    status: Ended
    stream_id: str | None  # None: cancelled before the server knew of it
    seq: int
    text: str
    items: tuple[Mapping[str, Any], ...]
    result: Any = None  # the whole of a structured answer that is complete
    dropped: Mapping[str, int] | None = None  # of those, the invalid parts left out, by reason
    finish_reason: str | None = None  # complete: `stop`, `length`, `repetition`
    usage: Mapping[str, Any] | None = None  # complete: `input_tokens`, `output_tokens`
    ttft_ms: int | None = None
    duration_ms: int | None = None
    code: str | None = None  # error: a code of the contract
    message: str | None = None  # error: for a person
    retryable: bool = False  # error: whether the same question may succeed later
    by: str | None = None  # cancelled: `owner`, `admin`, `abandoned`


Event: TypeAlias = Status | Chunk | Item | Reset | Snapshot | Terminal
