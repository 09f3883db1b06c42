"""Ways to break a good history, and the kind of breach that each must be."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.support.faults.good_history import history_of, tale, watch
from tests.support.faults.history import (
    Connection,
    Event,
    StreamHistory,
    Viewing,
)


def good() -> StreamHistory:
    """Build a tale with three viewers; the first has three drops, the others none."""
    run, rng = tale(), random.Random(7)
    first = watch(run, rng, drops=3, merge=False)
    others = [watch(run, rng, drops=0, merge=False) for _ in range(2)]
    return history_of(run, first, *others)


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
