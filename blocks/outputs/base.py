"""The interface of an output: how a block requests, parses and validates an answer.

Each implementation is a sibling file that imports no other. Shared code is in `part_scanner.py`,
`part_value.py`, `structured.py` and `prompting.py`. All are pure: text in, deltas out; no I/O,
clock or task. To add an output, copy a sibling, add its line to `registry.py`, and run the contract
suite (`tests/contracts/output_contract.py`) against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from blocks.continuation import NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, FinishReason
from blocks.spec import BlockSpec

DROP_REASONS: Mapping[str, str] = {
    "malformed": "not readable as JSON, or a member twice in it",
    "schema": "a field is missing, of the wrong type, blank or too long",
    "not_words": "a text without a meaning: marks alone, a piece of JSON or markup, a loop",
    "copied_example": "a copy of the worked example",
    "duplicate_options": "two options of a question are the same, or one is the question",
    "answer_out_of_range": "the right answer is none of the options",
    "duplicate_question": "the question was asked before",
    "unknown_node": "an edge that names no node",
    "self_loop": "an edge from a node to itself",
    "duplicate_node": "a node with the label of another",
    "duplicate_edge": "an edge between the same nodes as another",
    "too_many": "more parts than were asked for",
    "cut": "the answer ended in the middle of it",
}
"""Every key that `dropped` can have. The keys are stable: clients and dashboards read them."""


class Dropped(Exception):
    """Voids the part that has just closed; `reason` is a key of DROP_REASONS."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the chat sent to the model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the model.

    A last turn of the assistant is the beginning of the answer. Only an output that knows its model
    may use it, or `grammar` and `sampling`: other providers than `local` ignore these.
    """

    turns: tuple[Turn, ...]
    schema: Mapping[str, Any] | None = None  # JSON Schema that the answer must satisfy
    repeat_penalty: float | None = None
    grammar: str = ""  # GBNF that the answer must satisfy
    sampling: Mapping[str, Any] = field(default_factory=dict)  # further parameters of llama.cpp
    temperature: float | None = None  # None: the block's
    max_tokens: int | None = None  # None: the block's


class Answer(Protocol):
    """One attempt at an answer: `next_ask`, `feed`…, `close`, repeated until no request is left."""

    def next_ask(self) -> Ask | None:
        """Return the next request to the model, or None. Called once before each call."""
        ...

    def feed(self, token: str) -> Sequence[Delta]:
        """Return the Text and Item deltas that a piece of the model's text yields.

        Cost: linear in the token. It does not depend on earlier text, but for at most 4,096
        characters that wait for the text that decides about them.
        """
        ...

    def close(self, finish_reason: FinishReason) -> Sequence[Delta]:
        """End the current call. A part that is still open becomes void."""
        ...

    @property
    def is_over_limit(self) -> bool:
        """A part exceeds 16 KiB. The answer is unusable; a second attempt is not worth its cost."""
        ...

    @property
    def is_enough(self) -> bool:
        """Whether the answer is good, or one more attempt follows. Valid after the last close."""
        ...

    @property
    def prose(self) -> str:
        """The text of the current call before any JSON, at most 2,000 characters.

        A refusal in words is there. '' for plain text.
        """
        ...

    @property
    def result(self) -> dict[str, Any] | None:
        """The valid parts in the public form; None for plain text."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Reason → number of dropped parts."""
        ...


class Output(Protocol):
    """A kind of answer. Stateless; `begin` creates the state."""

    name: ClassVar[str]
    label: ClassVar[str]  # shown in the admin
    noun: ClassVar[str]  # what the model's answer is turned into, for visitors
    structured: ClassVar[bool]

    def begin(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        seed: str,
        repair: bool,
        earlier: Earlier = NOTHING,
    ) -> Answer:
        """Start an attempt.

        Args:
            seed: makes random choices repeatable; the stream's id.
            repair: the first attempt yielded too little; this is the second and last one.
            earlier: what a continuation adds to, from `earlier_of`. The engine gives the model the
                text in it.
        """
        ...

    def earlier_of(self, answers: Sequence[EndedAnswer], options: Mapping[str, Any]) -> Earlier:
        """Return what a continuation of these answers must know of them.

        Args:
            answers: at least one; each continues the one before it.
            options: the options of all of them.

        Raises:
            InvalidInput: of `continues`: nothing can be added to the last answer. Says why.
        """
        ...

    def example_problem(self, example_answer: str) -> str:
        """Describe what is wrong with a worked example; '' if it is valid."""
        ...
