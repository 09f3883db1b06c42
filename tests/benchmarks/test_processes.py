"""What the benchmark of processes compares, and what it holds to its goals."""

from __future__ import annotations

import multiprocessing

import pytest

from benchmarks.load.pace import running_pace, seconds_per_piece
from benchmarks.load.report import Figures
from benchmarks.processes import CASES, GOALS, TRANSPORTS, Case, Rounds, shortfalls, summary

CPU_US = {"memory": 60.0, "redis": 100.0, "two": 120.0}


def _case(cpu_us: float, *, piece_us: float = 500.0, delivered: float = 1.0) -> Case:
    figures = Figures(
        delivered=delivered,
        added_p50_ms=20.0,
        added_p99_ms=40.0,
        added_max_ms=60.0,
        cpu_us_per_token=cpu_us,
        tokens_per_second=5_000.0,
        server_cpu=0.5,
        client_cpu=0.1,
    )
    return Case(figures, redis_us_per_token=30.0, piece_us=piece_us)


def _rounds(count: int = 3) -> Rounds:
    return {
        (name, transport): [_case(CPU_US[name]) for _ in range(count)]
        for name in CASES
        for transport in TRANSPORTS
    }


def test_good_figures_have_no_shortfall() -> None:
    figures = summary(_rounds())
    assert figures["cpu_ratio"]["two / redis sse"] == 1.2
    assert figures["cpu_ratio"]["redis / memory websocket"] == 1.667
    assert shortfalls(figures) == []


def test_a_machine_that_is_slow_for_a_while_changes_no_ratio() -> None:
    rounds = _rounds()
    rounds["two", "sse"] = [_case(120.0), *[_case(240.0, piece_us=1_000.0)] * 2]
    figures = summary(rounds)
    assert figures["cpu_ratio"]["two / redis sse"] == 1.2
    assert figures["medians"]["two sse"]["cpu_us_per_token"] == 240.0


@pytest.mark.parametrize(("mine", "other"), list(GOALS))
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_ratio_above_its_goal_is_told_with_both_names(
    mine: str, other: str, transport: str
) -> None:
    rounds = _rounds()
    cpu_us = CPU_US[other] * GOALS[mine, other] * 1.01
    rounds[mine, transport] = [_case(cpu_us)] * 3  # type: ignore[index]
    assert any(words.startswith(f"{mine} / {other} {transport}:") for words in _short(rounds))


def test_one_token_that_is_missing_in_one_round_is_told() -> None:
    rounds = _rounds()
    rounds["two", "websocket"][1] = _case(120.0, delivered=0.99999)
    assert _short(rounds) == ["two websocket: 99.9990% of the tokens were delivered"]


def _short(rounds: Rounds) -> list[str]:
    return shortfalls(summary(rounds))


def test_the_pace_is_of_work_that_is_done_and_ends_with_its_use() -> None:
    with running_pace(None) as pace:
        begin = pace.mark()
        while (end := pace.mark())[0] < begin[0] + 2:
            pass
        assert 0 < seconds_per_piece(begin, end) < 1
    assert multiprocessing.active_children() == []
