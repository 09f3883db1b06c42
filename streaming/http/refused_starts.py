"""Counts each HTTP request that asks for a start and gets a problem instead.

Views, Django and the layers around it refuse requests. So the request is marked where it comes in,
and counted where its problem is made.
"""

from __future__ import annotations

from contextvars import ContextVar

from ..metrics.counted import count_refused_start
from ..protocol.codes import RefusalCode
from .asgi_types import Scope
from .request_span import may_start

_is_start: ContextVar[bool] = ContextVar("is_start", default=False)


def mark_start(scope: Scope) -> None:
    """Mark the context of a request: the server may reuse that of an earlier one."""
    if (is_start := may_start(scope)) != _is_start.get():
        _is_start.set(is_start)


def has_started() -> None:
    """Remove the mark: the answer exists, and a later problem refuses no start."""
    _is_start.set(False)


def count_if_start(code: RefusalCode) -> None:
    """Count a refusal, if this request asks for a start."""
    if _is_start.get():
        count_refused_start(code)
