"""The page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from .counted import REGISTRY

OPENMETRICS = "application/openmetrics-text"


class _Page(Collector):
    def __init__(self, now: Iterable[Metric]) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        yield from self._now


def page_of(accept: str, now: Iterable[Metric]) -> tuple[bytes, str]:
    """Write all metrics in the form that the client accepts.

    Args:
        accept: the request's header; may be empty.
        now: what a process looks up at each scrape, in addition to what is counted.

    Returns:
        The page, and its content type: OpenMetrics if the client names it, else Prometheus' text.
    """
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    # The library would fail at an odd version in the header, and repeat any other in its answer.
    encode, content_type = choose_encoder(f"{OPENMETRICS}; version=1.0.0" * (OPENMETRICS in kinds))
    return encode(_Page(now)), content_type


def gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


def gauge_by(
    label: str, name: str, documentation: str, values: dict[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def counter(name: str, documentation: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, documentation, value=value)
