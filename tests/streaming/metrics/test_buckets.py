"""Histograms of busy places say the same as the library's own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.registry import Collector

from streaming.metrics.buckets import Buckets

BOUNDS = (0.001, 0.5, 1.0)
VALUES = (0.0, 0.001, 0.0011, 0.5, 0.75, 1.0, 1.5, 90.0)


class _One(Collector):
    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def collect(self):
        yield self._buckets.family()


def page_of(collector: Collector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    return sorted(generate_latest(registry).decode().splitlines())


def test_values_are_counted_as_by_the_librarys_own_histogram() -> None:
    ours, theirs = Buckets("a_seconds", "A.", BOUNDS), CollectorRegistry()
    histogram = Histogram("a_seconds", "A.", buckets=BOUNDS, registry=theirs)
    for value in VALUES:
        ours.observe(value)
        histogram.observe(value)
    written = sorted(generate_latest(theirs).decode().splitlines())
    assert page_of(_One(ours)) == written
    assert 'a_seconds_bucket{le="0.001"} 2.0' in written
    assert f"a_seconds_count {float(len(VALUES))}" in written


def test_an_empty_one_has_all_its_buckets() -> None:
    page = page_of(_One(Buckets("a_seconds", "A.", BOUNDS)))
    assert [line for line in page if line.startswith("a_seconds_bucket")] == [
        'a_seconds_bucket{le="+Inf"} 0.0',
        'a_seconds_bucket{le="0.001"} 0.0',
        'a_seconds_bucket{le="0.5"} 0.0',
        'a_seconds_bucket{le="1.0"} 0.0',
    ]
