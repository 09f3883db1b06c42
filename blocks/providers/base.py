"""What a provider is: the thing that produces text. Its siblings are the implementations.

Adding one: copy a sibling, add its line to `registry.py`, and run the contract suite
(`tests/contracts/provider_contract.py`) against it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model.

    An assistant message that stands last is the beginning of the answer itself: the model goes
    on from it, in mid-sentence too. Only for providers that declare `can_continue`.
    """

    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    schema: Mapping[str, Any] | None = None  # JSON Schema that the answer must obey
    repeat_penalty: float | None = None  # a hint for small models; honoured by `local` alone

    @property
    def so_far(self) -> str:
        """The beginning of the answer, to go on from, to the last blank; '' if there is none."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.role == "assistant" else ""


class Token(msgspec.Struct, frozen=True, gc=False):
    text: str  # never empty; no lone surrogates, no NUL


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """A sign of life that is not shown: a reasoning delta, progress on a long prompt."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    """The answer's regular end: always the last piece, exactly once."""

    reason: Literal["stop", "length"]
    input_tokens: int | None  # None: the provider doesn't say
    output_tokens: int | None


Piece = Token | Thinking | Finish


class Provider(Protocol):
    """Produces the text of one model.

    Safe for many concurrent streams on one event loop. Nothing connects or starts before the
    first `stream` or `warm`.
    """

    model: str
    """The model's name as viewers see it, e.g. `smollm2-135m`."""

    is_demo: ClassVar[bool]
    """True for a model that proves that things work and knows little."""

    can_continue: bool
    """True: goes on from an assistant message that stands last, adding only what follows."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Answer a request, piece by piece.

        Yields:
            Any number of Token and Thinking, then one Finish.

        Raises:
            GenerationError: one of its subclasses (`blocks.errors`), never a library's own; with
                no text at all EmptyAnswer, without a Finish from upstream ProviderInterrupted.
                A request that brings the beginning of its answer may get a Finish alone (or
                EmptyAnswer, which means the same there): nothing was left to say.

        Closing the generator (`aclose`) or cancelling the task that waits for it stops the model
        itself within a second, before the first token too.
        """
        ...

    async def warm(self) -> None:
        """Get ready for the first request, if there is something to get ready. Never raises for
        a model that can't be had: the first request says so."""
        ...

    async def aclose(self) -> None:
        """Let go of everything: connections, child processes. Idempotent."""
        ...
