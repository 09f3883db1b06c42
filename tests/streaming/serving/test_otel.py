"""Traces: where they are off, nothing is imported; where they are on, processes continue them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace

from blocks import tracing
from streaming.generating.spans import current_carrier
from streaming.loop.log_ids import begin_request, fresh_context
from streaming.loop.tasks import Tasks
from tests.support.recorded_spans import recorded_spans
from tests.support.servers.harness import ROOT, clean_environment

WITHOUT_IT = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, NotInstalled())
import liveai.project_asgi, streaming.serving.worker
from streaming.event_log.redis import log  # redis-py takes the SDK's metrics where it finds them
from streaming.generating import queue
"""


@pytest.mark.parametrize(("switch", "is_needed"), [("false", False), ("true", True)])
def test_opentelemetry_is_not_needed_where_traces_are_off(switch: str, is_needed: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_IT],
        cwd=ROOT,
        env={**clean_environment(), "TRACING": switch},
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) is is_needed, done.stderr
    assert ("No module named 'opentelemetry'" in done.stderr) is is_needed


async def test_where_traces_are_off_a_span_is_nothing() -> None:
    span = tracing.begin("x", kind="server")
    with span.as_current(), tracing.span("y") as inner, tracing.continued({"traceparent": "x"}):
        inner.set("a", 1)
        inner.fail("code")
        assert tracing.trace_id() is None and tracing.carrier() == {}
    assert len(fresh_context()) == 0 and current_carrier() is None


async def test_an_answer_keeps_its_requests_id_and_trace_for_another_process() -> None:
    with recorded_spans() as spans:
        begin_request("r-1")
        with tracing.span("start"):
            carrier = current_carrier()
        with tracing.continued(carrier), tracing.span("generate"):
            pass
        with tracing.continued({"request_id": "r-1"}), tracing.span("of an old version"):
            pass
    start, generate, old = spans.ended
    assert carrier is not None and set(carrier) == {"request_id", "traceparent"}
    assert carrier["request_id"] == "r-1"
    assert generate.parent is not None and start.context is not None
    assert generate.parent.span_id == start.context.span_id
    assert old.parent is None


async def test_a_parent_that_is_not_sampled_stays_so() -> None:
    with recorded_spans() as spans:
        parent = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"}
        with tracing.continued(parent), tracing.span("generate"):
            assert tracing.trace_id() == "ab" * 16  # log lines still name it
            assert tracing.carrier()["traceparent"].endswith("-00")
    assert spans.ended == []


async def test_a_task_that_work_begins_continues_its_trace_and_holds_no_span() -> None:
    tasks = Tasks()

    async def look() -> tuple[str | None, bool]:
        return tracing.trace_id(), trace.get_current_span().is_recording()

    with recorded_spans():
        with tracing.span("start"):
            here = tracing.trace_id()
            inside = tasks.start(look())
        outside = tasks.start(look())
        assert await inside == (here, False)
        assert await outside == (None, False)
