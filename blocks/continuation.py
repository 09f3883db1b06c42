"""What a continuation is given: an answer that adds to earlier ones, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONTINUES = "continues"
"""The field of a start that asks for a continuation; refusals name it."""


@dataclass(frozen=True, slots=True)
class EndedAnswer:
    """An ended answer.

    Args:
        text: its text; "" for a structured answer.
        result: the result of a complete structured answer.
        finish_reason: of a complete answer; None if it was cancelled or failed.
        error: the code of a failed answer.
    """

    text: str = ""
    result: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a continuation must know of the answers before it. Empty for any other answer.

    Args:
        text: the whole text so far.
        questions: the questions that a quiz has asked so far.
    """

    text: str = ""
    questions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any] | None:
        """Return it as JSON data; None if it is empty."""
        if self == NOTHING:
            return None
        return {"text": self.text, "questions": list(self.questions)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Earlier:
        """Invert `to_json`."""
        return cls(data["text"], tuple(data["questions"])) if data else NOTHING


NOTHING = Earlier()
