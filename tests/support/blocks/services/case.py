"""One quirk of one or several services."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blocks.errors import GenerationError
from tests.support.blocks.upstream import Behaviour

ANSWER = "The sky is blue."


@dataclass(frozen=True)
class Case:
    """A row of the table and a test: what a service does, and what must come of it.

    Args:
        services: where it was seen.
        quirk: what they do.
        holds: what comes of it.
        plan: the answers of the service, call by call; the last one repeats.
        text: the whole text of the answer; for an error, the text before it.
        error: the error that ends the answer.
        message: what the visitor reads then; '' for the error's own.
        usage: tokens, as `Finish` reports them.
        reason: why the answer ended, as `Finish` reports it.
        calls: how many the answer takes.
        asked: members of the last request.
        not_asked: names of members that it lacks.
        is_remembered: a second answer takes one call.
        is_forgotten: a second answer takes as many calls as the first.
        thinks: Thinking comes before the text.
        schema: the answer must satisfy it.
        max_tokens: the block's own limit.
    """

    services: str
    quirk: str
    holds: str
    plan: tuple[Behaviour, ...]
    text: str = ANSWER
    error: type[GenerationError] | None = None
    message: str = ""
    usage: tuple[int | None, int | None] | None = None
    reason: str = "stop"
    calls: int = 1
    asked: dict[str, Any] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()
    is_remembered: bool = False
    is_forgotten: bool = False
    thinks: bool = False
    schema: dict[str, Any] | None = None
    max_tokens: int = 24

    @property
    def outcome(self) -> str:
        """What holds, with the error's code."""
        return self.holds if self.error is None else f"{self.holds}: `{self.error.code}`"


def answers(*frames: bytes, **how: Any) -> tuple[Behaviour, ...]:
    """Plan an answer of these frames."""
    return (Behaviour(frames=frames, **how),)
