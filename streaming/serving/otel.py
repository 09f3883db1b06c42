"""Traces by OpenTelemetry: begins its SDK, and makes the spans of `blocks.tracing`.

Imported only if `TRACING` is on. The standard variables (`OTEL_SERVICE_NAME`,
`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, ...) are the SDK's own: it reads them.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context

from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.context import attach, detach, get_current
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from blocks import tracing
from blocks.tracing import Carrier, Kind, Span, Value

TRACEPARENT = "traceparent"
_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_VARIABLES = {
    "schedule_delay_millis": "OTEL_BSP_SCHEDULE_DELAY",
    "max_queue_size": "OTEL_BSP_MAX_QUEUE_SIZE",
    "max_export_batch_size": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
}
_NO_TRACE = TraceContext()
_propagator = TraceContextTextMapPropagator()


FLUSH_SECONDS = 3.0
"""How long the end of a process waits for its last spans. The SDK would wait 30 s for a collector
that does not answer."""


def begin_tracing() -> None:
    """Begin to make and export spans, unless this process does already.

    A thread of the SDK's exports them. Those of the last seconds follow in `end_tracing`, and are
    lost if the process is killed.

    Raises:
        ValueError: a variable of the SDK's has a value that it can't use; the text names it.
    """
    if tracing.is_on():
        return
    service = Resource(
        {
            "service.name": "liveai",
            "service.instance.id": secrets.token_hex(16),
            "process.pid": os.getpid(),
        }
    )
    try:
        # The variables of the environment win.
        provider = TracerProvider(resource=service.merge(OTELResourceDetector().detect()))
        if (exporter := _exporter()) is not None:
            provider.add_span_processor(BatchSpanProcessor(exporter))
    except ValueError as error:
        raise ValueError(_with_variables(str(error))) from None
    tracing.use(OtelSpans(provider))


def _with_variables(text: str) -> str:
    """Name the variables instead of the SDK's arguments that they set."""
    for argument, variable in _VARIABLES.items():
        text = text.replace(argument, variable)
    return text


def end_tracing() -> None:
    """Export the last spans, as far as the collector takes them in time, and make no more."""
    spans = tracing.use(None)
    if isinstance(spans, OtelSpans):
        ending = threading.Thread(target=spans.provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)


def _exporter() -> SpanExporter | None:
    match settings.OTEL_TRACES_EXPORTER:
        case "otlp":
            from .otel_export import OtlpExport

            return OtlpExport()
        case "console":
            from opentelemetry.sdk.trace.export import ConsoleSpanExporter

            return ConsoleSpanExporter()
    return None


class OtelSpans:
    """Makes spans as `blocks.tracing` describes them."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("liveai")

    def begin(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], parent: Carrier | None
    ) -> Span:
        context = _propagator.extract(parent, _NO_TRACE) if parent else _NO_TRACE
        return self._begin(name, kind, attributes, context)

    @contextmanager
    def span(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], *, is_root: bool
    ) -> Iterator[Span]:
        span = self._begin(name, kind, attributes, _NO_TRACE if is_root else None)
        # Not the SDK's own context manager: it records the text of an exception, which may quote a
        # prompt.
        try:
            with span.as_current():
                yield span
        except Exception as error:
            span.fail(_type_of(error))
            raise
        finally:
            span.end()

    def _begin(
        self,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Value],
        context: TraceContext | None,
    ) -> Span:
        return _OtelSpan(
            self._tracer.start_span(
                name,
                context=context,
                kind=_KINDS[kind],
                attributes=attributes,
            )
        )

    def continued(self, carrier: Carrier) -> AbstractContextManager[None]:
        return _attached(_propagator.extract(carrier, _NO_TRACE))

    def carrier(self) -> dict[str, str]:
        found: dict[str, str] = {}
        _propagator.inject(found)
        # Without `tracestate`, which a client may have filled.
        return {TRACEPARENT: found[TRACEPARENT]} if TRACEPARENT in found else {}

    def trace_id(self) -> str | None:
        ids = trace.get_current_span().get_span_context()
        return trace.format_trace_id(ids.trace_id) if ids.is_valid else None

    def pass_on(self, context: Context) -> None:
        if trace.get_current_span().get_span_context().is_valid:
            context.run(attach, get_current())


class _OtelSpan:
    """Wraps a span of the SDK. The context that it makes holds ids alone, and no attributes."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, name: str, value: Value | None) -> None:
        if value is not None:
            self._span.set_attribute(name, value)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def as_current(self) -> AbstractContextManager[None]:
        ids = NonRecordingSpan(self._span.get_span_context())
        return _attached(trace.set_span_in_context(ids, _NO_TRACE))

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end()


@contextmanager
def _attached(context: TraceContext) -> Iterator[None]:
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _type_of(error: Exception) -> str:
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else type(error).__qualname__
