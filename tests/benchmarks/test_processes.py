"""The comparisons and the goals of the benchmark of processes."""

from __future__ import annotations

import math

import pytest

from benchmarks.load.client import Watched
from benchmarks.load.turns import Measured, Sampled
from benchmarks.processes import (
    GOALS,
    SIDES,
    TRANSPORTS,
    Figures,
    Found,
    figures_of,
    shortfalls,
    summary,
)

CPU_US = {"memory": 80.0, "redis": 100.0, "two": 120.0}
MS = 1_000_000  # in ns


def _figures(*cpu_us: float, delivered: float = 1.0, least_of_turn: float = 0.97) -> Figures:
    return Figures(
        delivered=delivered,
        least_of_turn=least_of_turn,
        added_p50_ms=20.0,
        added_p99_ms=40.0,
        added_max_ms=60.0,
        cpu_us_per_token=cpu_us,
        tokens_per_second=5_000.0,
        server_cpu=0.5,
        client_cpu=0.1,
        redis_us_per_token=30.0,
    )


def _found() -> Found:
    return {
        (name, transport): _figures(*[CPU_US[name]] * 3)
        for name in SIDES
        for transport in TRANSPORTS
    }


# --- from received tokens to figures ----------------------------------------------------


def _received(*tokens: tuple[int, int, int]) -> Watched:
    """Build one connection's data from seq, due and arrival times (ns) of its tokens."""
    watched = Watched()
    for seq, due, arrived in tokens:
        watched.pieces.append(f'{{"type":"chunk","seq":{seq},"token":"{due} "}}'.encode())
        watched.times.append(arrived)
    return watched


def _turn(begin: int, end: int, cpu: float) -> Measured:
    return Measured((begin, end), {"ours": cpu, "redis": cpu / 2, "client": cpu / 4})


def test_a_turns_cpu_is_told_for_the_tokens_that_came_in_it() -> None:
    early, late = (0, 9 * MS, 10 * MS), (3, 205 * MS, 209 * MS)
    side = Sampled(
        [_received(early, (1, 20 * MS, 21 * MS)), _received((0, 19 * MS, 29 * MS), late)],
        [_turn(20 * MS, 30 * MS, 0.002), _turn(200 * MS, 210 * MS, 0.003)],
    )
    figures = figures_of(side, tokens=2, due_per_second=200)
    assert figures.cpu_us_per_token == pytest.approx((1_000.0, 3_000.0))  # two tokens, and one
    assert figures.server_cpu == pytest.approx(0.25)
    assert figures.redis_us_per_token == pytest.approx(0.0025 / 3 * 1e6)
    assert figures.tokens_per_second == pytest.approx(150)
    assert (figures.added_p50_ms, figures.added_max_ms) == (4.0, 10.0)
    assert figures.least_of_turn == 0.5  # one token in 10 ms
    assert figures.delivered == 0.75  # seq 3 arrived in place of 1


def test_a_turn_in_which_nothing_came_is_not_cheap() -> None:
    side = Sampled([_received((0, 1, 2))], [_turn(20 * MS, 30 * MS, 0.002)])
    assert figures_of(side, tokens=1, due_per_second=200).cpu_us_per_token == (math.inf,)


# --- goals --------------------------------------------------------------------------------


def test_good_figures_have_no_shortfall() -> None:
    figures = summary(_found())
    assert figures["cpu_ratio"]["two / redis sse"]["median"] == 1.2
    assert figures["cpu_ratio"]["redis / memory websocket"]["median"] == 1.25
    assert shortfalls(figures) == []


def test_a_turn_is_compared_with_the_one_beside_it() -> None:
    """A machine that slows all sides down for a while changes no ratio."""
    found = _found()
    found["redis", "sse"] = _figures(100.0, 200.0, 200.0)
    found["two", "sse"] = _figures(120.0, 260.0, 220.0)
    figures = summary(found)
    assert figures["cpu_ratio"]["two / redis sse"] == {"median": 1.2, "from": 1.15, "to": 1.25}
    assert figures["sides"]["two sse"]["cpu_us_per_token"] == 220.0


@pytest.mark.parametrize(("mine", "other"), list(GOALS))
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_ratio_above_its_goal_is_told_with_both_names(
    mine: str, other: str, transport: str
) -> None:
    found = _found()
    cpu_us = CPU_US[other] * GOALS[mine, other] * 1.01
    found[mine, transport] = _figures(*[cpu_us] * 3)  # type: ignore[index]
    assert any(words.startswith(f"{mine} / {other} {transport}:") for words in _short(found))


def test_one_token_that_is_missing_is_told() -> None:
    found = _found()
    found["two", "websocket"] = _figures(*[120.0] * 3, delivered=0.999999)
    assert _short(found) == ["two websocket: 99.9999% of the tokens were delivered"]


def test_a_turn_in_which_not_all_spoke_is_told() -> None:
    found = _found()
    found["memory", "sse"] = _figures(*[CPU_US["memory"]] * 3, least_of_turn=0.42)
    assert _short(found) == ["memory sse: only 42% of the due tokens arrived in one turn"]


def test_figures_that_are_none_are_not_within_a_goal() -> None:
    found = _found()
    for name in ("redis", "two"):
        found[name, "sse"] = _figures(*[math.inf] * 3)
    assert any(words.startswith("two / redis sse:") for words in _short(found))


def _short(found: Found) -> list[str]:
    return shortfalls(summary(found))
