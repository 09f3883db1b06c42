"""The spans of an answer, its start and each generation, and what it keeps of its request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings

from blocks import tracing
from blocks.tracing import Span

from ..loop.log_ids import current_request_id, of_request
from ..protocol.events import code_of
from .generation import Generation

Carrier = dict[str, str] | None
"""The column `carrier` of a row."""


def start_span(block_type: str, *, is_queued: bool) -> AbstractContextManager[Span]:
    """Put a span around a start. `is_queued`: a worker generates the answer."""
    return tracing.span(
        f"start {block_type}",
        kind="producer" if is_queued else "internal",
        attributes={"liveai.block": block_type},
    )


def current_carrier() -> dict[str, str] | None:
    """Return what a new answer keeps of its request, for the processes that generate it.

    `request_id` of its log lines, and `traceparent` where traces are on.
    """
    request_id = current_request_id()
    ids = {} if request_id is None else {"request_id": request_id}
    return {**ids, **tracing.carrier()} or None


@contextmanager
def of_carrier(carrier: Carrier) -> Iterator[None]:
    """Give what happens inside the ids and the trace of the request that started an answer.

    Args:
        carrier: what the answer's row keeps of that request.
    """
    found = carrier if isinstance(carrier, dict) else {}
    with of_request(found.get("request_id")), tracing.continued(found):
        yield


@contextmanager
def generation_span(generation: Generation) -> Iterator[None]:
    """Put a span around one generation of an answer, also around one that only ends it."""
    row = generation.row
    is_taken = settings.AI_STREAMING_RUNNER == "worker" or row.started_at is not None
    with tracing.span(
        f"generate {row.block_type}",
        kind="consumer" if is_taken else "internal",
        attributes={
            "liveai.block": row.block_type,
            "liveai.stream_id": row.id,
            "liveai.recoveries": row.recoveries,
        },
    ) as span:
        yield
        _note_end(span, generation)


def _note_end(span: Span, generation: Generation) -> None:
    row, terminal = generation.row, generation.writer.state.terminal
    if generation.is_taken_over:
        span.set("liveai.status", "taken_over")
    elif terminal is None:
        span.set("liveai.status", "handed_over")
    else:
        span.set("liveai.status", terminal.type)
        span.set("liveai.ttft_ms", row.ttft_ms)
        if terminal.type == "error":
            span.fail(code_of(terminal))
    if row.started_at is not None:
        waited = row.started_at - row.created_at
        span.set("liveai.waited_ms", max(0, round(waited.total_seconds() * 1000)))
