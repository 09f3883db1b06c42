"""A collector for the traces of real processes: OTLP over HTTP, as the exporter speaks it.

with running_collector() as collector:
    with running("serve", database, environment=collector.environment): ...
    await eventually(lambda: collector.of("chat"))
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class ReceivedSpan:
    """A span, and the id of the process that made it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    pid: int
    kind: int  # as in OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
    is_error: bool
    attributes: dict[str, Any] = field(default_factory=dict)


class TraceCollector:
    """Receives spans on a loopback port of its own.

    Args:
        status: of its answers; it takes spans only with 200.
    """

    def __init__(self, status: int = 200) -> None:
        self._status = status
        self.spans: list[ReceivedSpan] = []
        self.raw = b""
        """All that has arrived, as it was written."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        port = self._server.server_address[1]
        return {
            "TRACING": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",  # ms; so that a kill loses little
        }

    def of(self, beginning: str) -> list[ReceivedSpan]:
        """Return the spans whose names begin so."""
        return [span for span in list(self.spans) if span.name.startswith(beginning)]

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_received(span, int(process["process.pid"])) for span in scope.spans]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take, status = self._take, self._status

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if status == 200:
                    take(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def running_collector(status: int = 200) -> Iterator[TraceCollector]:
    collector = TraceCollector(status)
    collector.begin()
    try:
        yield collector
    finally:
        collector.end()


def _received(span: Any, pid: int) -> ReceivedSpan:
    return ReceivedSpan(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        pid,
        span.kind,
        span.status.code == 2,
        _attributes(span.attributes),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, str(kind))
