"""What a running block yields, piece by piece. Plain values: no numbering, no delivery.

Structs, since one is made for each token: a frozen dataclass takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length"]


class Text(msgspec.Struct, frozen=True, gc=False):
    """Text to append: to the answer, or to the string at `path` of the part that is arriving."""

    token: str  # never empty; no lone surrogates, no NUL
    path: str | None = None  # JSON Pointer in the answer's public form, in structured answers only


class Item(msgspec.Struct, frozen=True):
    """The part at `path` is complete and valid; `value` None: void, and the path free again."""

    path: str
    value: Any


class Reset(msgspec.Struct, frozen=True, gc=False):
    """Everything before is void."""

    reason: Literal["retry", "recovered"]


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one provider call; a run may make several, so these are summed."""

    input_tokens: int
    output_tokens: int
    is_estimated: bool = False  # the provider did not say all of it

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.is_estimated or other.is_estimated,
        )


class Done(msgspec.Struct, frozen=True):
    """The run is over and its answer is good; the last thing that a run yields."""

    finish_reason: FinishReason
    result: Mapping[str, Any] | None = None  # structured answers only
    dropped: Mapping[str, int] = msgspec.field(default_factory=dict)  # reason → parts left out


Delta = Text | Item | Reset | Usage | Done
