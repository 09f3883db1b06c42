"""Computes figures from the data that a client received."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from .client import Run, Watched


@dataclass(frozen=True)
class Figures:
    """The figures of one case in one round.

    Added time is from a token's due time at its source to its arrival at the client. It covers all
    tokens, including those of the opening phase. CPU is per token of the window.
    """

    delivered: float  # share of all tokens delivered once and in order; 1.0: all
    added_p50_ms: float
    added_p99_ms: float
    added_max_ms: float
    cpu_us_per_token: float
    tokens_per_second: float  # in the window
    server_cpu: float  # share of a core, in the window
    client_cpu: float


@dataclass(frozen=True)
class Received:
    """The tokens received on some connections, from streams of the same length."""

    delivered: float  # share of all tokens delivered once and in order; 1.0: all
    added_ms: list[float]  # for each token, sorted
    arrivals: list[int]  # for each token, ns, sorted


def received_of(everyone: Iterable[Watched], *, tokens: int) -> Received:
    """Collect the tokens of several connections.

    Args:
        tokens: number of tokens of each stream.
    """
    added: list[float] = []
    arrivals: list[int] = []
    in_place = streams = 0
    for watched in everyone:
        streams += 1
        expected = 0
        for seq, due, arrived in watched.arrivals():
            added.append((arrived - due) / 1e6)
            arrivals.append(arrived)
            if seq == expected:
                in_place += 1
                expected += 1
    return Received(in_place / (tokens * streams), sorted(added), sorted(arrivals))


def figures_of(run: Run, *, tokens: int) -> Figures:
    """Compute the figures of a run.

    Args:
        tokens: number of tokens of each stream.
    """
    received = received_of(run.watched, tokens=tokens)
    added = received.added_ms
    in_window = count_within(run.window, received.arrivals)
    seconds = (run.window[1] - run.window[0]) / 1e9
    return Figures(
        delivered=received.delivered,
        added_p50_ms=percentile(added, 0.50),
        added_p99_ms=percentile(added, 0.99),
        added_max_ms=percentile(added, 1.0),
        cpu_us_per_token=run.server_cpu / in_window * 1e6 if in_window else float("inf"),
        tokens_per_second=in_window / seconds,
        server_cpu=run.server_cpu / seconds,
        client_cpu=run.client_cpu / seconds,
    )


def count_within(window: tuple[int, int], times: Sequence[int]) -> int:
    """Count the sorted times within a window, which excludes its end."""
    begin, end = window
    return bisect_left(times, end) - bisect_left(times, begin)


def percentile(values: Sequence[float], part: float) -> float:
    """Return a nearest-rank percentile of sorted values; infinite if there are none."""
    if not values:
        return float("inf")
    return values[min(len(values) - 1, int(part * len(values)))]


def medians(rounds: Sequence[Figures]) -> dict[str, float]:
    """Return the median of each figure over the rounds, but the minimum of `delivered`."""
    names = asdict(rounds[0])
    middle = {name: round(statistics.median(getattr(f, name) for f in rounds), 3) for name in names}
    middle["delivered"] = min(f.delivered for f in rounds)
    return middle
