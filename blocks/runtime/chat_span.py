"""A span around each call of a provider, by OpenTelemetry's conventions for generative AI.

They are still in development. Content is not captured, and there is no setting for it.
Source: https://github.com/open-telemetry/semantic-conventions-genai, "gen-ai-spans", v0.1.0.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from blocks import tracing
from blocks.providers.base import Alive, ChatRequest, Finish, Piece, Provider
from blocks.spec import BlockSpec
from blocks.tracing import Span, Value


def call(provider: Provider, request: ChatRequest, spec: BlockSpec) -> AsyncGenerator[Piece, None]:
    """Call a provider as `Provider.stream` does, with a span around it where traces are on."""
    pieces = provider.stream(request)
    return _traced(pieces, request, spec) if tracing.is_on() else pieces


async def _traced(
    pieces: AsyncGenerator[Piece, None], request: ChatRequest, spec: BlockSpec
) -> AsyncGenerator[Piece, None]:
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": spec.model.partition(":")[0].strip(),
        "gen_ai.request.model": spec.model_name,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.output.type": "text" if request.schema is None else "json",
    }
    # Current while the caller handles a piece, too: one task runs this from beginning to end.
    with tracing.span(f"chat {spec.model_name}", kind="client", attributes=attributes) as span:
        begun, has_begun = time.monotonic(), False
        async with aclosing(pieces):
            async for piece in pieces:
                if not has_begun and type(piece) is not Alive:
                    has_begun = True
                    seconds = time.monotonic() - begun
                    span.set("gen_ai.response.time_to_first_chunk", seconds)
                if type(piece) is Finish:
                    _note(span, piece)
                yield piece


def _note(span: Span, finish: Finish) -> None:
    span.set("gen_ai.response.finish_reasons", [finish.reason])
    span.set("gen_ai.usage.input_tokens", finish.input_tokens)
    span.set("gen_ai.usage.output_tokens", finish.output_tokens)
