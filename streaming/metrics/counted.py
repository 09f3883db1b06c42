"""What happens a few times in an answer's life: the library's own counters and histograms.

They hold for the whole process, whatever loop or thread counts.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from .block_label import block_label
from .buckets import BusyPlaces

M = TypeVar("M", Counter, Histogram)

disable_created_metrics()  # a second series for each counter, which nothing here asks for

REGISTRY = CollectorRegistry()
"""Not the library's own: a host's other metrics have their own page and their own guard."""

ProcessCollector(registry=REGISTRY)
REGISTRY.register(BusyPlaces())

_WAITS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_LENGTHS = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
_SAVES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0)

STARTS = Counter(
    "liveai_streams_started_total",
    "Answers that were started through this process.",
    ["block"],
    registry=REGISTRY,
)
REFUSED_STARTS = Counter(
    "liveai_starts_refused_total",
    "Starts with a valid input that were refused: limits, capacity, a store that is out of reach.",
    ["code"],
    registry=REGISTRY,
)
ENDS = Counter(
    "liveai_streams_ended_total",
    "Answers that ended in this process. The code of an error; of a complete one, its finish"
    " reason; of a cancelled one, by whom.",
    ["block", "status", "code"],
    registry=REGISTRY,
)
FIRST_TOKENS = Histogram(
    "liveai_first_token_seconds",
    "Time from an answer's beginning, or from its place if it had to wait, to its first logged"
    " event. Counted when the answer ends.",
    ["block"],
    buckets=_WAITS,
    registry=REGISTRY,
)
LENGTHS = Histogram(
    "liveai_answer_seconds",
    "Time from an answer's creation to its end.",
    ["block"],
    buckets=_LENGTHS,
    registry=REGISTRY,
)
MODEL_TOKENS = Counter(
    "liveai_model_tokens_total",
    "Tokens of prompts (input) and answers (output), as the model's service reports them or as"
    " estimated. Counted when an answer ends.",
    ["block", "direction"],
    registry=REGISTRY,
)
RESUMES = Counter(
    "liveai_resumes_total",
    "Viewers that continued from a cursor.",
    ["transport"],
    registry=REGISTRY,
)
VIEWERS = Gauge(
    "liveai_viewers",
    "Viewers now: event streams, and streams that sockets watch.",
    ["transport"],
    registry=REGISTRY,
)
TAKE_OVERS = Counter(
    "liveai_takeovers_total",
    "Answers that this process took over after they had begun: their process died, or handed them"
    " over.",
    ["reason"],
    registry=REGISTRY,
)
LOST_STREAMS = Counter(
    "liveai_streams_lost_total",
    "Running answers that another process took over from this one.",
    registry=REGISTRY,
)
SAVES = Histogram(
    "liveai_save_seconds",
    "Time to save a slice of running answers to their rows, in one transaction.",
    buckets=_SAVES,
    registry=REGISTRY,
)
SAVE_FAILURES = Counter(
    "liveai_save_failures_total",
    "Saves that failed because the database was out of reach. They are repeated.",
    registry=REGISTRY,
)

# Children that are always there, so that a rate exists before the first event.
for _transport in ("sse", "websocket"):
    RESUMES.labels(_transport)
    VIEWERS.labels(_transport)
for _reason in ("died", "handed_over"):
    TAKE_OVERS.labels(_reason)
for _code in ("over_capacity", "store_unavailable", "shutting_down"):
    REFUSED_STARTS.labels(_code)


def viewers_now() -> int:
    """Count the viewers of this process, over both transports."""
    samples = (sample for metric in VIEWERS.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples))


@cache  # the library would take a lock and look at each label
def _series(metric: M, *labels: str) -> M:
    """Return the series of a metric with these labels, which are closed sets of words."""
    return metric.labels(*labels)


def count_start(slug: str) -> None:
    _series(STARTS, block_label(slug)).inc()


def count_end(
    slug: str,
    *,
    status: str,
    code: str,
    seconds: float,
    ttft_ms: int | None,
    input_tokens: int | None,
    output_tokens: int | None,
) -> None:
    """Count an answer's end with its times and usage.

    Args:
        code: one of the specification's codes, finish reasons or `by`; no free text.
        seconds: from its creation on.
    """
    block = block_label(slug)
    _series(ENDS, block, status, code).inc()
    _series(LENGTHS, block).observe(max(0.0, seconds))
    if ttft_ms is not None:
        _series(FIRST_TOKENS, block).observe(ttft_ms / 1000)
    _series(MODEL_TOKENS, block, "input").inc(input_tokens or 0)
    _series(MODEL_TOKENS, block, "output").inc(output_tokens or 0)
