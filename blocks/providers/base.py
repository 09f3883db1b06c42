"""The interface of a provider, which produces a model's text. Implementations are sibling files.

To add one, copy a sibling, add its line to `registry.py`, and run the contract suite
(`tests/contracts/provider_contract.py`) against it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to a model.

    A final assistant message is the beginning of the answer: the model continues it, even in
    mid-sentence. Only providers that declare `can_continue` support this.
    """

    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    schema: Mapping[str, Any] | None = None  # JSON Schema that the answer must satisfy
    repeat_penalty: float | None = None  # a hint for small models; only `local` honours it
    grammar: str = ""  # GBNF that the answer must satisfy; only `local` honours it
    sampling: Mapping[str, Any] = field(default_factory=dict)  # of llama.cpp; likewise

    @property
    def so_far(self) -> str:
        """The beginning of the answer to continue, with every blank; '' if there is none."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.role == "assistant" else ""


class Token(msgspec.Struct, frozen=True, gc=False):
    text: str  # never empty; no lone surrogates, no NUL


class Thinking(msgspec.Struct, frozen=True, gc=False):
    """The model reasons before it answers. The reasoning itself is not passed on."""


class Alive(msgspec.Struct, frozen=True, gc=False):
    """A sign of life without text, such as progress on a long prompt."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    """The regular end of an answer: always the last piece, exactly once."""

    reason: Literal["stop", "length"]
    input_tokens: int | None  # None: the provider does not report it
    output_tokens: int | None


Piece = Token | Thinking | Alive | Finish


class Provider(Protocol):
    """Produces the text of one model.

    Supports many concurrent streams on one event loop. Nothing connects or starts before the first
    `stream` or `warm`.
    """

    model: str
    """The model's name as viewers see it, e.g. `smollm2-135m`."""

    is_demo: ClassVar[bool]
    """True for a demo model: it proves that the system works, but knows little."""

    can_continue: bool
    """True: the provider continues a final assistant message and returns only the continuation."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Answer a request, piece by piece.

        Yields:
            Any number of Token, Thinking and Alive, then one Finish.

        Raises:
            GenerationError: one of its subclasses (`blocks.errors`), never a library's own error.
                An answer without text raises EmptyAnswer. A stream without a Finish from upstream
                raises ProviderInterrupted. A request that contains the beginning of its answer may
                get only a Finish, or EmptyAnswer with the same meaning: nothing was left to say.

        Closing the generator (`aclose`), or cancelling the task that awaits it, stops the model
        itself within a second. This also holds before the first token.
        """
        ...

    async def warm(self) -> None:
        """Prepare for the first request, if the provider needs preparation.

        Never raises for an unavailable model: the first request reports that.
        """
        ...

    async def aclose(self) -> None:
        """Release everything: connections, child processes. Idempotent."""
        ...


@runtime_checkable
class OwnsProcess(Protocol):
    """What a provider with a process of its own offers in addition."""

    @property
    def is_down(self) -> bool:
        """Whether the process could not be started, or keeps dying. A request tries again."""
        ...
