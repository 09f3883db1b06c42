"""The values that a running block yields, without numbering or delivery.

They are msgspec structs because each token creates one: a frozen dataclass takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length", "repetition"]


class Text(msgspec.Struct, frozen=True, gc=False):
    """Text to append to the answer, or to the string at `path` in the open part."""

    token: str  # never empty; no lone surrogates, no NUL
    path: str | None = None  # JSON Pointer into the answer's public form; structured answers only


class Item(msgspec.Struct, frozen=True):
    """The part at `path` is complete and valid; a `value` of None voids it and frees the path."""

    path: str
    value: Any


class Reset(msgspec.Struct, frozen=True, gc=False):
    """Voids everything yielded before."""

    reason: Literal["retry", "recovered"]


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """The model reasons, and has not written a word of this call yet. Not a part of the answer."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one provider call. A run may make several calls; callers sum their usage."""

    input_tokens: int
    output_tokens: int
    is_estimated: bool = False  # the provider did not report all of it

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.is_estimated or other.is_estimated,
        )


class Done(msgspec.Struct, frozen=True):
    """The run has finished with a good answer; always the last delta."""

    finish_reason: FinishReason
    result: Mapping[str, Any] | None = None  # structured answers only
    dropped: Mapping[str, int] = msgspec.field(default_factory=dict)  # reason → number of parts


Delta = Text | Item | Reset | Thinking | Usage | Done
