"""What counting.py returns: sums over the answers that have something in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Used:
    """Answers of one model, and the tokens that it was asked for: a sample answer has none."""

    model: str
    answers: int
    failed: int
    input_tokens: int
    output_tokens: int
    estimated: int  # answers whose service did not report its whole usage


@dataclass(frozen=True, slots=True)
class Ends:
    """Answers of one block type that have ended alike, or not yet."""

    block_type: str
    status: str
    code: str  # of an error; else the finish reason, or who stopped it; empty: it has not ended
    used: Used
    timed_tokens: int  # of complete answers with a first token: tokens of answers …
    writing_ms: int  # … and how long they took after that


@dataclass(frozen=True, slots=True)
class PlanUse:
    """Answers of the members of a group."""

    group_id: int | None  # None: their users have no group, or nobody was signed in
    is_anonymous: bool
    used: Used


@dataclass(frozen=True, slots=True)
class DayUse:
    """An owner's answers of one block type on one day."""

    day: int  # the number of the step
    block_type: str
    used: Used
