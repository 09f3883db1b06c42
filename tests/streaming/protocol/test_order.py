"""The legal orders of logged events."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.order import Order, OrderError
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun

OTHER = "b3RoZXItc3RyZWFtLWhlcmU"[:22]


def _check_all(log: Iterable[Event], *, after: int) -> Order:
    order = Order(STREAM_ID, after=after)
    for event in log:
        order.check(event)
    return order


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_every_golden_run_is_in_order(run: GoldenRun) -> None:
    order = _check_all(run.events, after=run.row.seq if run.row else -1)
    assert order.seq == run.events[-1].seq
    assert order.has_ended == run.events[-1].is_terminal


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_an_event_left_out_repeated_or_swapped_is_noticed(run: GoldenRun) -> None:
    log = list(run.events)
    for i in range(len(log)):
        broken = [[*log[:i], log[i], *log[i:]]]  # repeated
        if i + 1 < len(log):
            broken.append(log[:i] + log[i + 1 :])  # left out
            broken.append([*log[:i], log[i + 1], log[i], *log[i + 2 :]])  # swapped
        for wrong in broken:
            with pytest.raises(OrderError):
                _check_all(wrong, after=run.row.seq if run.row else -1)


@pytest.mark.parametrize(
    "late",
    [
        events.chunk(STREAM_ID, 1, "x"),
        events.item(STREAM_ID, 1, "/title", "x"),
        events.reset(STREAM_ID, 1, "retry"),
        events.error(STREAM_ID, 1, code="internal", message="", retryable=True),
        events.cancelled(STREAM_ID, 1, by="owner"),
    ],
    ids=lambda event: event.type,
)
def test_nothing_follows_a_terminal_event(late: Event) -> None:
    order = Order(STREAM_ID)
    order.check(events.cancelled(STREAM_ID, 0, by="owner"))
    with pytest.raises(OrderError, match="after the terminal event"):
        order.check(late)


@pytest.mark.parametrize(
    "event",
    [
        events.start(HEAD, status="queued", after=-1),
        events.snapshot(STREAM_ID, seq=0, status="running", text="", items=[], arriving={}),
        events.reconnect(STREAM_ID, retry_ms=1),
        Event("made-up", STREAM_ID, 0, {}),
    ],
    ids=lambda event: event.type,
)
def test_what_is_not_logged_has_no_place(event: Event) -> None:
    with pytest.raises(OrderError, match="not a logged event"):
        Order(STREAM_ID).check(event)


def test_an_event_of_another_stream_is_refused() -> None:
    with pytest.raises(OrderError, match="another stream"):
        Order(STREAM_ID).check(events.chunk(OTHER, 0, "x"))


@pytest.mark.parametrize(("first", "second"), [(None, "/title"), ("/title", None)])
def test_chunks_with_and_without_a_path_do_not_mix(first: str | None, second: str | None) -> None:
    order = Order(STREAM_ID)
    order.check(events.chunk(STREAM_ID, 0, "x", first))
    with pytest.raises(OrderError, match="path"):
        order.check(events.chunk(STREAM_ID, 1, "x", second))


def test_a_refused_event_changes_nothing() -> None:
    order = Order(STREAM_ID)
    order.check(events.chunk(STREAM_ID, 0, "x"))
    with pytest.raises(OrderError):
        order.check(events.cancelled(STREAM_ID, 5, by="owner"))
    order.check(events.chunk(STREAM_ID, 1, "y"))
    assert order.seq == 1
    assert not order.has_ended
