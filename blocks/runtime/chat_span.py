"""A span around each call of a provider, by OpenTelemetry's conventions for generative AI.

They are still in development. Content is not captured, and there is no setting for it.
Source: https://github.com/open-telemetry/semantic-conventions-genai, "gen-ai-spans", v0.1.0.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager

from blocks import tracing
from blocks.providers.base import ChatRequest, Finish, Piece, Provider
from blocks.spec import BlockSpec
from blocks.tracing import Span


class Call:
    """A call of a provider that has begun. Its pieces are the provider's own: a token costs nothing
    here, and what the span is told of them is told by their reader."""

    __slots__ = ("_begun", "_span", "pieces")

    def __init__(self, pieces: AsyncGenerator[Piece, None], span: Span) -> None:
        self.pieces = pieces
        self._span = span
        self._begun: float | None = time.monotonic()

    def note_first(self) -> None:
        """Note that the model's first output has come. Idempotent."""
        if self._begun is not None:
            seconds = time.monotonic() - self._begun
            self._begun = None
            self._span.set("gen_ai.response.time_to_first_chunk", seconds)

    def note_end(self, finish: Finish) -> None:
        """Note how the model ended, and the usage that its service reports."""
        self._span.set("gen_ai.response.finish_reasons", [finish.reason])
        self._span.set("gen_ai.usage.input_tokens", finish.input_tokens)
        self._span.set("gen_ai.usage.output_tokens", finish.output_tokens)


@asynccontextmanager
async def call(provider: Provider, request: ChatRequest, spec: BlockSpec) -> AsyncIterator[Call]:
    """Call a provider as `Provider.stream` does, with a span around it where traces are on.

    The end of the block closes the provider's generator before the span.
    """
    with _span(request, spec) as span:
        async with aclosing(provider.stream(request)) as pieces:
            yield Call(pieces, span)


def _span(request: ChatRequest, spec: BlockSpec) -> AbstractContextManager[Span]:
    name = f"chat {spec.model_name}"
    if not tracing.is_on():
        return tracing.span(name)
    return tracing.span(
        name,
        kind="client",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": spec.model.partition(":")[0].strip(),
            "gen_ai.request.model": spec.model_name,
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.output.type": "text" if request.schema is None else "json",
        },
    )
