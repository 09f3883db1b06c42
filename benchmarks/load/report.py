"""From what a client received to figures."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from .client import Run, Watched


@dataclass(frozen=True)
class Figures:
    """One case of one round.

    Added time is from when a token was due at its source to when the client had it; it is taken
    over all tokens, those of the opening phase too. CPU is per token of the window.
    """

    delivered: float  # part of all tokens, each once and in its place; 1.0: all
    added_p50_ms: float
    added_p99_ms: float
    added_max_ms: float
    cpu_us_per_token: float
    tokens_per_second: float  # in the window
    server_cpu: float  # of a core, in the window
    client_cpu: float


@dataclass(frozen=True)
class Received:
    """What came on some connections, of streams of the same length."""

    delivered: float  # part of all tokens, each once and in its place; 1.0: all
    added_ms: list[float]  # of each token, sorted
    arrivals: list[int]  # of each token, ns, sorted


def received_of(everyone: Iterable[Watched], *, tokens: int) -> Received:
    """Args:
    tokens: how many each stream has.
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
    """Args:
    tokens: how many each stream has.
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
    """How many of the sorted times are in a window: from its begin to before its end."""
    begin, end = window
    return bisect_left(times, end) - bisect_left(times, begin)


def percentile(values: Sequence[float], part: float) -> float:
    """Of sorted values; the nearest rank. Infinite where there is none: nothing came."""
    if not values:
        return float("inf")
    return values[min(len(values) - 1, int(part * len(values)))]


def medians(rounds: Sequence[Figures]) -> dict[str, float]:
    """The median of each figure over rounds; of `delivered` the worst, which must be all."""
    names = asdict(rounds[0])
    middle = {name: round(statistics.median(getattr(f, name) for f in rounds), 3) for name in names}
    middle["delivered"] = min(f.delivered for f in rounds)
    return middle
