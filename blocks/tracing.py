"""Spans of a trace, or nothing: the one door of the code to OpenTelemetry.

`use` opens it, if the operator wants traces (streaming/serving/otel.py). Until then OpenTelemetry
is neither needed nor imported here, and a span costs a function call.

A span has names, numbers and ids. It never has a prompt, an answer, an address that may hold a key,
or the text of an exception.

Source: specs/050-live-ai-interaction/decisions/, "Traces".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import Context
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool | Sequence[str]
Carrier = Mapping[str, str]
"""What another process needs to continue a trace: `traceparent`, as W3C Trace Context writes it."""


class Span(Protocol):
    """One piece of work: when it began and ended, and what is known of it."""

    def set(self, name: str, value: Value | None) -> None:
        """Note an attribute; None is not noted."""
        ...

    def fail(self, error_type: str) -> None:
        """Note that the work failed: a stable code, an HTTP status, or the name of an exception."""
        ...

    def as_current(self) -> AbstractContextManager[None]:
        """Make spans begun inside its children. The context holds its ids alone."""
        ...

    def end(self) -> None:
        """Idempotent."""
        ...


class Spans(Protocol):
    """Makes spans. `streaming.serving.otel` is the implementation."""

    def begin(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], parent: Carrier | None
    ) -> Span: ...

    def span(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], *, is_root: bool
    ) -> AbstractContextManager[Span]: ...

    def continued(self, carrier: Carrier) -> AbstractContextManager[None]: ...

    def carrier(self) -> dict[str, str]: ...

    def trace_id(self) -> str | None: ...

    def pass_on(self, context: Context) -> None: ...


class _Nothing:
    """A span of nobody's trace, and a context that changes nothing."""

    def set(self, name: str, value: Value | None) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass

    def as_current(self) -> AbstractContextManager[None]:
        return _NO_CONTEXT

    def end(self) -> None:
        pass


class _NoSpan(AbstractContextManager[Span]):
    def __enter__(self) -> Span:
        return _NOTHING

    def __exit__(self, *_: object) -> None:
        pass


class _NoContext(AbstractContextManager[None]):
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


_NOTHING, _NO_SPAN, _NO_CONTEXT = _Nothing(), _NoSpan(), _NoContext()

_spans: Spans | None = None


def use(spans: Spans | None) -> Spans | None:
    """Make spans from now on; None makes none. Returns what made them before."""
    global _spans
    before, _spans = _spans, spans
    return before


def is_on() -> bool:
    return _spans is not None


def begin(
    name: str,
    *,
    kind: Kind,
    attributes: Mapping[str, Value] = {},
    parent: Carrier | None = None,
) -> Span:
    """Begin a span that the caller ends, and that is no child of the current one.

    Args:
        parent: the trace that it continues; else it begins one.
    """
    return _NOTHING if _spans is None else _spans.begin(name, kind, attributes, parent)


def span(
    name: str,
    *,
    kind: Kind = "internal",
    attributes: Mapping[str, Value] = {},
    is_root: bool = False,
) -> AbstractContextManager[Span]:
    """Put a span around the work inside, which is current meanwhile.

    An exception makes it a failed one, by its `code`, else by the name of its class; a cancellation
    does not.

    Args:
        is_root: it begins a trace, whatever is current.
    """
    return _NO_SPAN if _spans is None else _spans.span(name, kind, attributes, is_root=is_root)


def continued(carrier: Carrier | None) -> AbstractContextManager[None]:
    """Continue another process's trace inside, if its carrier names one."""
    return _NO_CONTEXT if _spans is None or not carrier else _spans.continued(carrier)


def carrier() -> dict[str, str]:
    """Return what another process needs to continue the current trace; {} if there is none."""
    return {} if _spans is None else _spans.carrier()


def trace_id() -> str | None:
    """Return the id of the current trace, 32 hexadecimal digits; None if there is none."""
    return None if _spans is None else _spans.trace_id()


def pass_on(context: Context) -> None:
    """Make the current span the current one of another context, too."""
    if _spans is not None:
        _spans.pass_on(context)
