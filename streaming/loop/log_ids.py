"""The ids that log lines carry: `request_id` of a request or socket, and `stream_id` of an answer.

They are one context variable, which the formatter reads when it writes a line: a token costs
nothing. `request_id` names the HTTP request; it is not the `request_id` that a client gives a
start.

Source: specs/050-live-ai-interaction/decisions/, "Structured logs".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context, ContextVar
from typing import NamedTuple

from blocks import tracing


class _Ids(NamedTuple):
    """The ids of one context. It never changes, so contexts share it."""

    request_id: str | None = None
    stream_id: str | None = None


_NO_IDS = _Ids()
_ids: ContextVar[_Ids] = ContextVar("log_ids", default=_NO_IDS)


def begin_request(request_id: str) -> None:
    """Give the current context the id of a request or socket, and no other.

    A server may create a task in the context of an earlier request of the same connection.
    """
    _ids.set(_Ids(request_id))


def current_ids() -> dict[str, str]:
    """Return the ids of the current context by name; those that it lacks are left out."""
    return {name: text for name, text in _ids.get()._asdict().items() if text is not None}


def current_request_id() -> str | None:
    """Return the id of the request or socket that this code serves, if it serves one."""
    return _ids.get().request_id


def begin_stream(stream_id: str) -> None:
    """Give the current context the id of a stream too, for the rest of a task."""
    _ids.set(_ids.get()._replace(stream_id=stream_id))


def of_stream(stream_id: str) -> AbstractContextManager[None]:
    """Give what is logged inside the id of a stream."""
    return _inside(stream_id=stream_id)


def of_request(request_id: str | None) -> AbstractContextManager[None]:
    """Give what is logged inside the id of a request; None: leave it as it is."""
    return nullcontext() if request_id is None else _inside(request_id=request_id)


def fresh_context() -> Context:
    """Return a context that has the ids and the trace of the current one, and nothing else."""
    context = Context()
    if (ids := _ids.get()) is not _NO_IDS:
        context.run(_ids.set, ids)
    tracing.pass_on(context)
    return context


@contextmanager
def _inside(**ids: str) -> Iterator[None]:
    token = _ids.set(_ids.get()._replace(**ids))
    try:
        yield
    finally:
        _ids.reset(token)
