"""The checker accepts correct histories, and names each kind of breach."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faults.checker import KINDS, check, check_all
from tests.support.faults.good_history import frames_of, golden_runs, history_of, tale, watch
from tests.support.faults.history import (
    TERMINAL,
    Connection,
    Event,
    StreamHistory,
    Viewing,
    read_histories,
    write_histories,
)

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


def good() -> StreamHistory:
    """Build a tale with three viewers; the first has three drops, the others none."""
    run, rng = tale(), random.Random(7)
    first = watch(run, rng, drops=3, merge=False)
    others = [watch(run, rng, drops=0, merge=False) for _ in range(2)]
    return history_of(run, first, *others)


def kinds(history: StreamHistory) -> set[str]:
    return {breach.kind for breach in check(history)}


def test_the_history_that_is_broken_below_is_good() -> None:
    history = good()
    assert check(history) == []
    assert history.viewings[0].drops == 3
    assert all(len(c.events) > 3 for c in history.viewings[0].connections)


def second(history: StreamHistory) -> Connection:
    return history.viewings[1].connections[0]


def events(history: StreamHistory) -> list[Event]:
    """Return the events of the second viewer, who has one connection."""
    return second(history).events


def lose_an_event(h: StreamHistory) -> None:
    del events(h)[5]


def lose_an_event_over_a_reconnect(h: StreamHistory) -> None:
    del h.viewings[0].connections[1].events[1]


def lose_all_before_a_merged_chunk(h: StreamHistory) -> None:
    events(h)[3:5] = [{**events(h)[4], "first_seq": 4, "seq": 4}]
    del events(h)[3]


def repeat_an_event(h: StreamHistory) -> None:
    events(h).insert(5, events(h)[4])


def repeat_an_event_over_a_reconnect(h: StreamHistory) -> None:
    last = h.viewings[0].connections[0].events[-1]
    h.viewings[0].connections[1].events.insert(1, last)


def merge_too_early(h: StreamHistory) -> None:
    e = events(h)
    e[5] = {**e[5], "first_seq": e[4]["seq"], "token": e[4]["token"] + e[5]["token"]}


def change_a_token(h: StreamHistory) -> None:
    events(h)[4] = {**events(h)[4], "token": "something else "}


def change_the_order_of_two_tokens(h: StreamHistory) -> None:
    e = events(h)
    e[3], e[4] = {**e[3], "token": e[4]["token"]}, {**e[4], "token": e[3]["token"]}


def cut_a_token_short(h: StreamHistory) -> None:
    events(h)[4] = {**events(h)[4], "token": "w"}


def merge_wrongly(h: StreamHistory) -> None:
    e = events(h)
    e[3:5] = [{**e[4], "first_seq": e[3]["seq"], "token": e[4]["token"] + e[3]["token"]}]


def merge_over_the_reset(h: StreamHistory) -> None:
    e = events(h)
    place = next(n for n, event in enumerate(e) if event["type"] == "reset")
    e[place : place + 2] = [{**e[place + 1], "first_seq": e[place]["seq"]}]


def lose_the_reset(h: StreamHistory) -> None:
    e = events(h)
    place = next(n for n, event in enumerate(e) if event["type"] == "reset")
    e[place] = {**e[place - 1], "seq": e[place]["seq"], "token": ""}


def end_twice(h: StreamHistory) -> None:
    events(h).append({**events(h)[-1], "seq": events(h)[-1]["seq"] + 1})


def end_twice_in_the_log(h: StreamHistory) -> None:
    assert h.log is not None
    h.log.append({**h.log[-1], "seq": h.log[-1]["seq"] + 1})


def end_otherwise(h: StreamHistory) -> None:
    e = events(h)
    e[-1] = {"type": "cancelled", "stream_id": h.stream_id, "seq": e[-1]["seq"], "by": "owner"}


def end_with_other_usage(h: StreamHistory) -> None:
    e = events(h)
    e[-1] = {**e[-1], "usage": {"input_tokens": 3, "output_tokens": 31}}


def end_at_another_number(h: StreamHistory) -> None:
    e = events(h)
    del e[-2]
    e[-1] = {**e[-1], "seq": e[-1]["seq"] - 1}


def go_on_after_the_end(h: StreamHistory) -> None:
    e = events(h)
    e.append({"type": "chunk", "stream_id": h.stream_id, "seq": e[-1]["seq"] + 1, "token": "x"})


def go_on_after_the_end_on_another_connection(h: StreamHistory) -> None:
    e = events(h)
    end = e[-1]["seq"]
    more = [{**e[0], "after": end}, {**e[1], "seq": end + 1}]
    h.viewings[1].connections.append(Connection("sse", 1, end, 9.0, more))


def go_on_after_the_end_in_the_log(h: StreamHistory) -> None:
    assert h.log is not None
    h.log.append({**h.log[1], "seq": h.log[-1]["seq"] + 1})


def see_another_stream(h: StreamHistory) -> None:
    e = events(h)
    e.insert(4, {**e[4], "stream_id": "YW5vdGhlciBzdHJlYW0h"})


def start_another_stream(h: StreamHistory) -> None:
    e = events(h)
    e[0] = {**e[0], "stream_id": "YW5vdGhlciBzdHJlYW0h"}


def start_elsewhere(h: StreamHistory) -> None:
    e = h.viewings[0].connections[2].events
    e[0] = {**e[0], "after": e[0]["after"] - 1}


def start_at_the_beginning_again(h: StreamHistory) -> None:
    e = h.viewings[0].connections[1].events
    e[0] = {**e[0], "after": -1}


def do_not_start(h: StreamHistory) -> None:
    del events(h)[0]


def ask_for_another_cursor(h: StreamHistory) -> None:
    h.viewings[0].connections[1].asked_after += 1


def go_back_by_a_snapshot(h: StreamHistory) -> None:
    """Its text is older than its seq: the events in between would be lost."""
    place_snapshot(h, 8, "w0 über ")


def go_on_by_a_snapshot(h: StreamHistory) -> None:
    place_snapshot(h, 8, "".join(e["token"] for e in events(h)[1:10]) + "more than was said")


def place_snapshot(h: StreamHistory, seq: int, text: str) -> None:
    e = events(h)
    snapshot = {"type": "snapshot", "stream_id": h.stream_id, "seq": seq, "status": "running"}
    e[1 : seq + 2] = [{**snapshot, "text": text, "items": [], "arriving": {}}]


def leave_something_arriving(h: StreamHistory) -> None:
    place_snapshot(h, 8, "".join(e["token"] for e in events(h)[1:10]))
    events(h)[1]["arriving"] = {"/title": "x"}


def lose_the_end(h: StreamHistory) -> None:
    del events(h)[-1]


def never_arrive(h: StreamHistory) -> None:
    h.viewings.append(Viewing("never", [Connection("sse", 1, -1, 0.0, ended_by="refused")]))


def never_end_in_the_log(h: StreamHistory) -> None:
    assert h.log is not None
    del h.log[-1]


def lose_an_event_of_the_log(h: StreamHistory) -> None:
    assert h.log is not None
    del h.log[6]


def invent_events_behind_the_log(h: StreamHistory) -> None:
    """A viewer received an event that was never logged: its end has a higher seq than the log's."""
    e = events(h)
    e[-1:] = [{**e[-2], "seq": e[-1]["seq"]}, {**e[-1], "seq": e[-1]["seq"] + 1}]


def row(name: str, value: Any) -> Callable[[StreamHistory], None]:
    def change(h: StreamHistory) -> None:
        assert h.row is not None
        h.row[name] = value

    change.__name__ = f"row_{name}"
    return change


def call_upstream_twice(h: StreamHistory) -> None:
    h.calls = 2


def complete_without_a_call(h: StreamHistory) -> None:
    h.calls = 0


BROKEN: list[tuple[Callable[[StreamHistory], None], str]] = [
    (lose_an_event, "gap"),
    (lose_an_event_over_a_reconnect, "gap"),
    (lose_all_before_a_merged_chunk, "gap"),
    (lose_an_event_of_the_log, "gap"),
    (repeat_an_event, "repeat"),
    (repeat_an_event_over_a_reconnect, "repeat"),
    (merge_too_early, "repeat"),
    (change_a_token, "not_the_log"),
    (cut_a_token_short, "not_the_log"),
    (change_the_order_of_two_tokens, "not_the_log"),
    (merge_wrongly, "not_the_log"),
    (merge_over_the_reset, "not_the_log"),
    (lose_the_reset, "not_the_log"),
    (invent_events_behind_the_log, "not_the_log"),
    (end_twice, "two_ends"),
    (end_twice_in_the_log, "two_ends"),
    (end_otherwise, "different_end"),
    (end_with_other_usage, "different_end"),
    (end_at_another_number, "different_end"),
    (go_on_after_the_end, "after_end"),
    (go_on_after_the_end_on_another_connection, "after_end"),
    (go_on_after_the_end_in_the_log, "after_end"),
    (see_another_stream, "foreign_stream"),
    (start_another_stream, "foreign_stream"),
    (start_elsewhere, "wrong_after"),
    (start_at_the_beginning_again, "wrong_after"),
    (do_not_start, "no_start"),
    (ask_for_another_cursor, "wrong_cursor"),
    (go_back_by_a_snapshot, "wrong_snapshot"),
    (go_on_by_a_snapshot, "wrong_snapshot"),
    (leave_something_arriving, "wrong_snapshot"),
    (lose_the_end, "unfinished"),
    (never_arrive, "unfinished"),
    (never_end_in_the_log, "no_end"),
    (row("status", "error"), "wrong_row"),
    (row("seq", 29), "wrong_row"),
    (row("text", "w0 über "), "wrong_row"),
    (row("usage", None), "wrong_row"),
    (row("stream_id", "another"), "wrong_row"),
    (call_upstream_twice, "upstream_calls"),
    (complete_without_a_call, "upstream_calls"),
]


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
