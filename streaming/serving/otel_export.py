"""Delivers spans to a collector by OTLP over HTTP, and says so if that fails.

The SDK's exporter would log each batch that fails, with the endpoint, which may hold a password.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from .rare_log import RareLog

logger = logging.getLogger(__name__)


class OtlpExport(SpanExporter):
    """Exports as the SDK does. A collector that fails is one line a minute. Belongs to one thread.

    Args:
        now: seconds, monotonic.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._status: int | None = None
        self._log = RareLog(logger, now=now)
        self._exporter = OTLPSpanExporter(session=self._session())

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._status = None
        try:
            result = self._exporter.export(spans)
        except Exception:  # the SDK would log it with its text
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._log.warn(
                "Traces can't be delivered: the collector answers %s."
                " See OTEL_EXPORTER_OTLP_ENDPOINT.",
                self._status or "nothing",
            )
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _session(self) -> requests.Session | None:
        """Return a session that notes the status of answers; None leaves it to the SDK.

        A provider of credentials (`OTEL_PYTHON_EXPORTER_OTLP_HTTP_…_CREDENTIAL_PROVIDER`) brings
        its own.
        """
        if any(name.endswith("_CREDENTIAL_PROVIDER") for name in os.environ):
            return None
        session = requests.Session()
        session.hooks["response"].append(self._note)
        return session

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        self._status = response.status_code
