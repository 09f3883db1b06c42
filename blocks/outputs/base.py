"""What an output is: how a block's answer is asked for, read as it arrives, and judged.

Its siblings are the implementations, one per file, none importing another; what they share is in
`part_scanner.py`, `part_value.py`, `structured.py` and `prompting.py`. All are pure: text in,
deltas out; no I/O, clock or task. Adding one: copy a sibling, add its line to `registry.py`, and
run the contract suite (`tests/contracts/output_contract.py`) against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from blocks.delta import Delta, FinishReason
from blocks.spec import BlockSpec

DROP_REASONS: Mapping[str, str] = {
    "malformed": "not readable as JSON, or a member twice in it",
    "schema": "a field is missing, of the wrong type, blank or too long",
    "duplicate_options": "two options of a question are the same",
    "answer_out_of_range": "the right answer is none of the options",
    "duplicate_question": "the question was asked before",
    "unknown_node": "an edge that names no node",
    "self_loop": "an edge from a node to itself",
    "duplicate_node": "a node with the label of another",
    "duplicate_edge": "an edge between the same nodes as another",
    "too_many": "more parts than were asked for",
    "cut": "the answer ended in the middle of it",
}
"""Every key that `dropped` can have. Stable: clients and dashboards read them."""


class Dropped(Exception):
    """The part that has just closed is void; `reason` is a key of DROP_REASONS."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the chat that the model is given."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the model."""

    turns: tuple[Turn, ...]
    schema: Mapping[str, Any] | None = None  # JSON Schema that the answer must obey
    repeat_penalty: float | None = None


class Answer(Protocol):
    """One attempt at an answer: `next_ask`, `feed`…, `close`, and again until no ask is left."""

    def next_ask(self) -> Ask | None:
        """What to ask the model now; None: all has been asked. Called once before each call."""
        ...

    def feed(self, token: str) -> Sequence[Delta]:
        """Text and Item that this much more of the model's text brings.

        Cost: linear in the token, and one reading of the part that it leaves open (16 KiB at
        most), whatever came before.
        """
        ...

    def close(self, finish_reason: FinishReason) -> Sequence[Delta]:
        """The call that was asked for last is over. A part still open is void."""
        ...

    @property
    def is_over_limit(self) -> bool:
        """A part is over 16 KiB: this is no answer, and a second attempt is not worth its price."""
        ...

    @property
    def is_enough(self) -> bool:
        """Whether the answer is good, or one more attempt is to be made. After the last close."""
        ...

    @property
    def result(self) -> dict[str, Any] | None:
        """The valid parts in the public form; None in plain text."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Reason → number of parts left out."""
        ...


class Output(Protocol):
    """A kind of answer. Stateless; `begin` makes the state."""

    name: ClassVar[str]
    label: ClassVar[str]  # in the admin
    structured: ClassVar[bool]

    def begin(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, seed: str, repair: bool
    ) -> Answer:
        """Start an attempt.

        Args:
            seed: makes what is drawn by lot repeatable; the stream's id.
            repair: the first attempt left too little; this is the second and last one.
        """
        ...

    def example_problem(self, example_answer: str) -> str:
        """What is wrong with a worked example, in words; '' if nothing is."""
        ...
