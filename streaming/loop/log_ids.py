"""The ids that log lines carry: `request_id` of a request or socket, and `stream_id` of an answer.

They are context variables, which the formatter reads when it writes a line: a token costs nothing.
`request_id` names the HTTP request; it is not the `request_id` that a client gives a start.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import Context

from structlog.contextvars import (
    bind_contextvars,
    bound_contextvars,
    clear_contextvars,
    get_contextvars,
)

from blocks import tracing


def begin_request(request_id: str) -> None:
    """Give the current context the id of a request or socket, and no other.

    A server may create a task in the context of an earlier request of the same connection.
    """
    clear_contextvars()
    bind_contextvars(request_id=request_id)


def current_request_id() -> str | None:
    """Return the id of the request or socket that this code serves, if it serves one."""
    found = get_contextvars().get("request_id")
    return None if found is None else str(found)


def begin_stream(stream_id: str) -> None:
    """Give the current context the id of a stream too, for the rest of a task."""
    bind_contextvars(stream_id=stream_id)


def of_stream(stream_id: str) -> AbstractContextManager[None]:
    """Give what is logged inside the id of a stream."""
    return bound_contextvars(stream_id=stream_id)


def of_request(request_id: str | None) -> AbstractContextManager[object]:
    """Give what is logged inside the id of a request; None: leave it as it is."""
    return nullcontext() if request_id is None else bound_contextvars(request_id=request_id)


def fresh_context() -> Context:
    """Return a context that has the ids and the trace of the current one, and nothing else."""
    context = Context()
    if ids := get_contextvars():
        context.run(bind_contextvars, **ids)
    tracing.pass_on(context)
    return context
