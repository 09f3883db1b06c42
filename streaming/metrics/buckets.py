"""Histograms for busy places: a list of counts, which a scrape turns into a metric.

The library's own histogram takes a lock and a dozen calls for each value. On the path of a token
that would be a few per cent of all work.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Buckets:
    """Counts values by size. Belongs to one thread.

    Args:
        name: of the metric, with its unit.
        documentation: what one value is; shown to those who read the metric.
        bounds: upper bounds of the buckets, ascending, in the unit of the name.
    """

    __slots__ = ("bounds", "counts", "documentation", "name", "total")

    def __init__(self, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        self.name = name
        self.documentation = documentation
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last one: above all bounds
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def family(self) -> HistogramMetricFamily:
        """Return the metric as it is now, whose buckets include the smaller ones."""
        bounds = [*(str(float(bound)) for bound in self.bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self.counts)), strict=True))
        return HistogramMetricFamily(
            self.name, self.documentation, buckets=buckets, sum_value=self.total
        )


TOKEN_GAPS = Buckets(
    "liveai_token_gap_seconds",
    "Time between two neighbouring events of an answer, as its generator writes them to the log."
    " Two of sixteen events are looked at.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)

LOG_APPENDS = Buckets(
    "liveai_log_append_seconds",
    "Time to append a batch of an answer's events to the log in Redis, retries included."
    " A log in memory appends at once, and counts nothing here.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)

DELIVERIES = Buckets(
    "liveai_delivery_seconds",
    "Time from the first event of a round, as it reaches this process, until all viewers of the"
    " round have been written to or woken. One value for each round.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)

LOOP_LAGS = Buckets(
    "liveai_loop_lag_seconds",
    "How late the event loop ran a timer, looked at ten times a second from the first scrape on.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)


class BusyPlaces(Collector):
    """Gives the library these histograms at each scrape."""

    def collect(self) -> Iterator[HistogramMetricFamily]:
        for buckets in (TOKEN_GAPS, LOG_APPENDS, DELIVERIES, LOOP_LAGS):
            yield buckets.family()
