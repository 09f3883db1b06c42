"""A collector that fails is one line a minute, with its status, and without its address."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.core.management.base import CommandError
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from streaming.management.start import traces
from streaming.serving.otel_export import OtlpExport
from tests.support.servers.trace_collector import running_collector

PROVIDER = TracerProvider(resource=Resource({"process.pid": 1}), shutdown_on_exit=False)
SPAN = cast(ReadableSpan, PROVIDER.get_tracer("t").start_span("s"))
LINE = "Traces can't be delivered: the collector answers {}. See OTEL_EXPORTER_OTLP_ENDPOINT."


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a site would log: the levels of LOGGING hold here, too."""
    said: list[str] = []
    monkeypatch.setattr(caplog.handler, "emit", lambda record: said.append(record.getMessage()))
    return said


def test_a_collector_that_refuses_is_one_line_a_minute(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    with running_collector(status=401) as collector:
        port = collector.environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rpartition(":")[2]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://me:PASSWORD@127.0.0.1:{port}")
        export = OtlpExport(now=lambda: now[0])
        for seconds in (0.0, 5.0, 59.0, 60.0):
            now[0] = seconds
            assert export.export([SPAN]) is SpanExportResult.FAILURE
        export.shutdown()
    assert lines == [
        LINE.format(401),
        LINE.format(401) + " (2 more times since the last line.)",
    ]


@pytest.mark.parametrize("endpoint", ["http://me:PASSWORD@127.0.0.1:1", "me:PASSWORD@localhost"])
def test_a_collector_that_is_not_there_is_a_line_without_its_password(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    export = OtlpExport()
    assert export.export([SPAN]) is SpanExportResult.FAILURE
    export.shutdown()
    assert lines == [LINE.format("nothing")]


def test_a_collector_that_takes_spans_is_no_line(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_collector() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        export = OtlpExport()
        assert export.export([SPAN]) is SpanExportResult.SUCCESS
        export.shutdown()
    assert lines == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),  # less than a batch
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-3"),
    ],
)
def test_a_variable_that_can_not_be_used_is_named(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    settings.TRACING = True
    monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=name), traces():
        pass
