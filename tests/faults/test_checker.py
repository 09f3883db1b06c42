"""The checker accepts correct histories, and names each kind of breach."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faults.breaches import BROKEN, good, lose_an_event
from tests.support.faults.checker import KINDS, check, check_all
from tests.support.faults.good_history import frames_of, golden_runs, history_of, tale, watch
from tests.support.faults.history import (
    TERMINAL,
    Connection,
    StreamHistory,
    Viewing,
    read_histories,
    write_histories,
)


def kinds(history: StreamHistory) -> set[str]:
    return {breach.kind for breach in check(history)}


# --- correct histories ------------------------------------------------------------


@given(
    name=st.sampled_from([*golden_runs(), "tale"]),
    seed=st.integers(0, 10_000),
    drops=st.integers(0, 6),
    merged=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_honest_viewers_of_any_run_are_passed(
    name: str, seed: int, drops: int, merged: tuple[bool, bool, bool]
) -> None:
    run = tale() if name == "tale" else golden_runs()[name]
    rng = random.Random(seed)
    viewings = [watch(run, rng, drops=drops, merge=merge) for merge in merged[1:]]
    history = history_of(run, *viewings)
    if merged[0]:  # the log's reader came after the end, and got merged neighbours
        history.log = [
            e for c in watch(run, rng, drops=0, merge=True).connections for e in c.events
        ]
    assert check(history) == []


def test_what_is_left_out_of_a_record_is_not_held_against_it() -> None:
    history = good()
    history.log = history.row = history.calls = None
    assert check(history) == []


def test_a_viewer_who_lost_the_log_with_its_process_is_passed() -> None:
    """Only viewers know the events before the crash; the snapshot bridges the gap."""
    run = golden_runs()["lost-with-its-process"]
    start, snapshot, end = frames_of(run)
    before = [
        {"type": "chunk", "stream_id": start["stream_id"], "seq": n, "token": token}
        for n, token in enumerate(["What ", "was ", "saved, and not"])
    ]
    viewing = Viewing("a")
    viewing.connections.append(Connection("sse", 1, -1, 0.0, [start, *before]))
    again = [{**start, "after": 2}, snapshot, end]
    viewing.connections.append(Connection("sse", 1, 2, 1.0, again))
    history = history_of(run, viewing, copy.deepcopy(viewing))
    assert check(history) == []
    # Two viewers must not have seen different events before the crash.
    history.viewings[1].connections[0].events[1]["token"] = "That "
    assert {breach.kind for breach in check(history)} == {"not_the_log"}


def test_every_recovery_allows_one_more_call() -> None:
    history = good()
    history.calls = 3
    assert kinds(history) == {"upstream_calls"}
    history.recoveries = 2
    assert check(history) == []
    history.recoveries, history.retries = 1, 1
    assert check(history) == []


def test_the_text_of_upstream_is_the_measure_where_it_is_known() -> None:
    history = good()
    assert history.row is not None
    history.expected_text = str(history.row["text"])
    # After its reset the tale starts over with other words, which upstream would not do.
    assert kinds(history) == {"wrong_text"}


# --- breaches ---------------------------------------------------------------------


def test_the_history_that_is_broken_below_is_good() -> None:
    history = good()
    assert check(history) == []
    assert history.viewings[0].drops == 3
    assert all(len(c.events) > 3 for c in history.viewings[0].connections)


@pytest.mark.parametrize(("break_it", "kind"), BROKEN, ids=[one.__name__ for one, _ in BROKEN])
def test_it_is_caught(break_it: Callable[[StreamHistory], None], kind: str) -> None:
    history = copy.deepcopy(good())
    break_it(history)
    found = check(history)
    assert kind in {breach.kind for breach in found}, [str(breach) for breach in found]
    assert all(breach.stream_id == history.stream_id for breach in found)


@pytest.mark.parametrize(("break_it", "kind"), BROKEN, ids=[one.__name__ for one, _ in BROKEN])
def test_it_is_found_among_many_good_ones(
    break_it: Callable[[StreamHistory], None], kind: str
) -> None:
    broken = good()
    break_it(broken)
    found = check_all([good(), broken, good()])
    assert found == check(broken)


def test_every_kind_of_breach_has_a_test() -> None:
    assert {kind for _, kind in BROKEN} | {"wrong_text"} == set(KINDS)


def test_a_wrong_item_is_caught() -> None:
    run = golden_runs()["quiz"]
    history = history_of(run, watch(run, random.Random(1), drops=0, merge=False))
    assert check(history) == []
    seen = history.viewings[0].connections[0].events
    place = next(n for n, event in enumerate(seen) if event["type"] == "item")
    seen[place] = {**seen[place], "value": None}
    assert "not_the_log" in kinds(history)


@given(st.integers(0, 10_000))
def test_no_single_event_can_be_lost_unseen(seed: int) -> None:
    rng = random.Random(seed)
    run = rng.choice([tale(), *golden_runs().values()])
    viewing = watch(run, rng, drops=rng.randrange(4), merge=rng.random() < 0.5)
    history = history_of(run, viewing)
    places = [
        (connection, place)
        for connection in viewing.connections
        for place, event in enumerate(connection.events)
        if event["type"] != "start"
    ]
    connection, place = rng.choice(places)
    lost = connection.events.pop(place)
    expected = {"unfinished"} if lost["type"] in TERMINAL else {"gap", "wrong_cursor"}
    assert kinds(history) & expected


def test_a_breach_says_what_where_and_for_whom() -> None:
    history = good()
    lose_an_event(history)
    text = str(check(history)[0])
    assert text.startswith("gap (a seq was skipped and no snapshot said so): stream ")
    assert history.stream_id in text and history.viewings[1].name in text and "5 after 3" in text


def test_histories_are_kept_as_lines_and_read_again(tmp_path: Path) -> None:
    histories = [good(), history_of(golden_runs()["quiz"])]
    write_histories(tmp_path / "run.jsonl", histories, seed=7)
    assert len((tmp_path / "run.jsonl").read_text("utf-8").splitlines()) == 3
    about, again = read_histories(tmp_path / "run.jsonl")
    assert about == {"seed": 7} and again == histories
