"""The comparison: its figures, its goals, and its stored results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare import doubts
from benchmarks.comparison import results
from benchmarks.comparison.goals import (
    GOALS,
    Goal,
    fewest,
    judged,
    median,
    ratio,
    shortfall,
    spread,
)
from benchmarks.comparison.loads import LOADS
from benchmarks.comparison.long import Done, arrival_ms, cookies_of, figures_of, newest_of
from benchmarks.comparison.servers import GOAL_SERVERS, KINDS, OURS, RAW
from benchmarks.comparison.steady import TOGETHER
from benchmarks.load.client import Watched

MS = 1_000_000  # in ns


def _watched(*pieces: tuple[bytes, int], asked: int = 0) -> Watched:
    return Watched([piece for piece, _ in pieces], [at for _, at in pieces], asked)


# --- long answers -------------------------------------------------------------------------


def test_the_cost_of_opens_is_no_cost_of_tokens() -> None:
    cpu = {1: 0.2 + 0.104 / 2, 100: 0.2 + 0.1, 50_000: 0.004 + 0.1}
    done = {
        1: Done(100, 100, carried=5_000),
        100: Done(100, 10_000),
        50_000: Done(2, 10_000),
    }
    found = figures_of(cpu, done)
    assert found[100]["cpu_us_per_token"] == pytest.approx(10)
    assert found[50_000]["cpu_us_per_token"] == pytest.approx(10)
    assert (found[100]["delivered"], found[50_000]["delivered"]) == (1, 0.1)


def test_a_resume_has_caught_up_when_the_newest_event_has_come() -> None:
    watched = _watched((b'"seq":5,"x" "seq":9', 30 * MS), (b'"seq":12', 50 * MS), asked=10 * MS)
    assert newest_of(watched) == 12
    assert arrival_ms(watched, 9) == 20
    assert arrival_ms(watched, 10) == 40
    assert arrival_ms(watched, 13) == math.inf
    assert newest_of(_watched()) == -1


def test_a_resume_sends_the_cookies_of_its_start() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nset-cookie: sessionid=a.b; HttpOnly; Path=/\r\n"
        b"Set-Cookie: csrftoken=c; Max-Age=3\r\n\r\ndata: Set-Cookie: x=y"
    )
    assert cookies_of(head) == "sessionid=a.b; csrftoken=c"


# --- goals --------------------------------------------------------------------------------


def test_a_ratio_compares_the_cases_of_one_round() -> None:
    mine = [{"cpu": 10.0}, {"cpu": 40.0}, {"cpu": 11.0}]
    other = [{"cpu": 10.0}, {"cpu": 20.0}, {"cpu": 10.0}]
    assert ratio("mine", "other", "cpu")({"mine": mine, "other": other}) == pytest.approx(1.1)
    assert ratio("mine", "other", "cpu")({"mine": mine, "other": [{"cpu": 0.0}] * 3}) == math.inf


def test_a_spread_is_that_of_the_median_round() -> None:
    found = {
        "100": [{"cpu": 10.0}, {"cpu": 30.0}, {"cpu": 10.0}],
        "1000": [{"cpu": 11.0}, {"cpu": 10.0}, {"cpu": 12.0}],
        "1": [{"other": 1.0}] * 3,
    }
    assert spread("cpu")(found) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("value", "at_least", "is_met"),
    [(9.0, False, True), (10.0, False, True), (10.1, False, False), (9.9, True, False),
     (10.0, True, True), (math.inf, False, False), (math.nan, False, False)],
)  # fmt: skip
def test_a_goal_is_met_up_to_its_bound(value: float, at_least: bool, is_met: bool) -> None:
    goal = Goal("p50", "lone", median("x", "ms"), 10, "ms", at_least)
    judgement = goal.judge({"x": [{"ms": value}]})
    assert judgement is not None
    assert judgement["met"] is is_met


def test_a_missed_goal_is_told_with_its_figure() -> None:
    goal = Goal("sse: p99", "1000x20", median("x", "ms"), 130, "ms")
    judgement = goal.judge({"x": [{"ms": 1367.4}]})
    assert judgement is not None
    assert shortfall(judgement) == "1000x20, sse: p99: 1,367 ms; the goal is at most 130 ms"
    nothing = goal.judge({"x": [{"ms": math.inf}]})
    assert nothing is not None
    assert shortfall(nothing) == "1000x20, sse: p99: nothing; the goal is at most 130 ms"


def test_a_goal_of_a_server_that_did_not_run_is_not_judged() -> None:
    assert judged({"1000x20": {f"{RAW} sse": [{"added_p99_ms": 1.0}]}}) == []


def test_one_round_that_lost_a_token_misses_the_goal() -> None:
    rounds = [{"delivered": share, "opened": 1.0} for share in (1.0, 0.999999, 1.0)]
    found = judged({"burst": {f"{OURS} sse": rounds}})
    assert {each["goal"]: each["met"] for each in found} == {
        "sse: opened": True, "sse: delivered": False
    }  # fmt: skip


def test_idle_streams_that_were_refused_are_not_cheap() -> None:
    found = judged({"idle": {f"{OURS} websocket": [{"kib_per_stream": 0.1, "opened": 0.0}]}})
    assert {each["goal"]: each["met"] for each in found} == {
        "websocket: memory of an idle stream": True, "websocket: opened": False
    }  # fmt: skip


def test_the_fewest_that_any_length_delivered_count() -> None:
    found = {"100": [{"n": 1.0}, {"n": 0.9}], "1000": [{"n": 1.0}], "1": [{"m": 0.1}]}
    assert fewest("n")(found) == 0.9


def test_every_goal_judges_a_load_and_servers_that_run_in_all_rounds() -> None:
    assert {goal.load for goal in GOALS} <= set(LOADS)
    cases = {f"{name} {transport}" for name in GOAL_SERVERS for transport in KINDS[name].transports}
    complete = dict.fromkeys(
        ["added_p50_ms", "added_p99_ms", "lag_max_ms", "cpu_us_per_token", "opened", "delivered",
         "first_token_p50_ms", "first_token_p99_ms", "kib_per_stream", "kib_per_answer",
         "cpu_ms_per_open", "resume_running_ms", "resume_ended_ms"], 1.0
    )  # fmt: skip
    found: Any = {case: [complete] for case in cases | {TOGETHER + case for case in cases}}
    assert len(judged(dict.fromkeys(LOADS, found))) == len(GOALS)


@pytest.mark.parametrize(
    ("name", "figures", "words"),
    [
        ("liveai sse, round 1", {"added_p99_ms": 500.0, "client_cpu": 0.5}, []),
        ("raw sse, round 1", {"added_p99_ms": 5.0, "client_cpu": 0.5}, []),
        ("raw sse, round 1", {"added_p99_ms": 500.0}, ["the machine is busy"]),
        ("fastapi sse, round 1", {"client_cpu": 0.9}, ["90% of its core"]),
        ("raw websocket, round 1", {"kib_per_stream": 13.0}, []),
    ],
)
def test_a_run_that_measures_the_client_or_the_machine_is_doubted(
    name: str, figures: dict[str, float], words: list[str]
) -> None:
    found = doubts(name, figures)
    assert len(found) == len(words)
    assert all(word in doubt for word, doubt in zip(words, found, strict=True))


# --- results ------------------------------------------------------------------------------


def test_medians_do_not_hide_a_loss_or_an_infinity() -> None:
    rounds = [{"delivered": share, "ms": ms} for share, ms in ((1, 1.0), (0.5, math.inf), (1, 3))]
    assert results.medians(rounds) == {"delivered": 0.5, "ms": 3}
    assert results.medians([{"ms": math.inf}]) == {"ms": None}


def test_a_new_run_of_a_load_replaces_that_load_alone(tmp_path: Path) -> None:
    def run(p50: float) -> Any:
        return {f"{OURS} sse": [{"added_p50_ms": p50}]}

    path = tmp_path / "compare.json"
    assert results.read(path) == {}
    for load, p50 in (("lone", 0.5), ("200x50", 11.0), ("lone", 2.0)):
        new = results.summary({load: run(p50)})
        results.write(results.merged(results.read(path), new), path)
    found = results.read(path)
    assert found["loads"]["lone"][f"{OURS} sse"] == {"added_p50_ms": 2.0}
    assert found["loads"]["200x50"][f"{OURS} sse"] == {"added_p50_ms": 11.0}
    judgements = {goal["load"]: goal["met"] for goal in found["goals"]}
    assert judgements == {"200x50": True, "lone": False}
    assert len(found["goals"]) == 2
