"""What a running block yields, piece by piece. Plain values: no numbering, no delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Text:
    """Text to append: to the answer, or to the string at `path` of the part that is arriving."""

    token: str  # never empty; no lone surrogates, no NUL
    path: str | None = None  # JSON Pointer in the answer's public form, in structured answers only


@dataclass(frozen=True, slots=True)
class Item:
    """The part at `path` is complete and valid; `value` None: it is void, and the path free again."""

    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Reset:
    """Everything before is void."""

    reason: Literal["retry", "recovered"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one provider call; a run may make several, so these are summed."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over and its answer is good; the last thing that a run yields."""

    finish_reason: FinishReason
    result: Mapping[str, Any] | None = None  # structured answers only
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason → parts left out


Delta = Text | Item | Reset | Usage | Done
