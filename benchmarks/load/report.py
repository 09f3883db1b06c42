"""From what a client received to figures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .client import Run


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


def figures_of(run: Run, *, tokens: int) -> Figures:
    """Args:
    tokens: how many each stream has.
    """
    began, ended = run.window
    added: list[float] = []
    in_window = in_place = 0
    for watched in run.watched:
        expected = 0
        for seq, due, arrived in watched.arrivals():
            added.append((arrived - due) / 1e6)
            in_window += began <= arrived < ended
            if seq == expected:
                in_place += 1
                expected += 1
    seconds = (ended - began) / 1e9
    added.sort()
    return Figures(
        delivered=in_place / (tokens * len(run.watched)),
        added_p50_ms=percentile(added, 0.50),
        added_p99_ms=percentile(added, 0.99),
        added_max_ms=added[-1] if added else float("inf"),
        cpu_us_per_token=run.server_cpu / in_window * 1e6 if in_window else float("inf"),
        tokens_per_second=in_window / seconds,
        server_cpu=run.server_cpu / seconds,
        client_cpu=run.client_cpu / seconds,
    )


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
