"""The received events plus a resume equal the whole stream. Source: spec.md, "Resume"."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.order import Order
from streaming.protocol.state import StreamState
from streaming.protocol.window import Window
from tests.specs.fixture import RUNS, watch
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun
from tests.support.streaming.protocol_client import Client, Transport, summary

TRANSPORTS: tuple[Transport, ...] = ("sse", "websocket")
WHOLE_LOGS = [run for run in RUNS if run.row is None]


def _expected(run: GoldenRun) -> dict[str, object]:
    return summary(run.window().state)


def _receive(client: Client, run: GoldenRun, transport: Transport, cut: int) -> bool:
    """Deliver the first `cut` frames of a viewer, and over SSE half of the next one."""
    frames = watch(run)
    assert client.connect(run.window(0), transport) is not None
    # `connect` has delivered the start itself, from the same window.
    for frame in frames[1:cut]:
        client.receive(frame.sse if transport == "sse" else frame.websocket)
    if transport == "sse" and cut < len(frames):
        client.receive(frames[cut].sse[: len(frames[cut].sse) // 2])
    return cut < len(frames)


@pytest.mark.parametrize("second", TRANSPORTS)
@pytest.mark.parametrize("first", TRANSPORTS)
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_cut_anywhere_loses_nothing_and_repeats_nothing(
    run: GoldenRun, first: Transport, second: Transport
) -> None:
    n_frames = len(watch(run))
    for cut in range(1, n_frames + 1):
        client = Client()
        _receive(client, run, first, cut)
        if connection := client.connect(run.window(), second):
            connection.drain()
        assert summary(client.state) == _expected(run), f"cut after {cut} of {n_frames} frames"
        assert client.counted == [event.seq for event in run.events][-len(client.counted) :]
        if run.row is None:
            assert client.counted == list(range(len(run.events)))
            assert client.snapshots == 0


@pytest.mark.parametrize("second", TRANSPORTS)
@pytest.mark.parametrize("first", TRANSPORTS)
@pytest.mark.parametrize("run", WHOLE_LOGS, ids=lambda run: run.name)
def test_a_cut_while_the_stream_grows_goes_on_live(
    run: GoldenRun, first: Transport, second: Transport
) -> None:
    for cut in range(len(run.events) + 1):
        client, window = Client(), run.window(cut)
        connection = client.connect(window, first)
        if connection:
            connection.drain()
        connection = client.connect(window, second)
        for event in run.events[cut:]:
            window.append(event)
            assert connection is not None
            connection.take()
        assert summary(client.state) == _expected(run)
        assert client.counted == list(range(len(run.events)))
        assert client.snapshots == 0


@pytest.mark.parametrize("run", [r for r in RUNS if r.row], ids=lambda run: run.name)
def test_only_a_cursor_that_cannot_be_honoured_gets_a_snapshot(run: GoldenRun) -> None:
    assert run.row is not None
    snapshots = {}
    for after in (-1, 0, run.row.seq - 1, run.row.seq):
        client = Client()
        client.cursor = after
        connection = client.connect(run.window(), "sse")
        assert connection is not None
        connection.drain()
        snapshots[after] = client.snapshots
        assert client.has_ended
    assert snapshots == {-1: 1, 0: 1, run.row.seq - 1: 1, run.row.seq: 0}


# --- random streams, random schedules ---------------------------------------------

_token = st.text(max_size=4).filter(lambda text: text.isprintable() or text in "\r\n\u2028")
_path = st.sampled_from(["/title", "/questions/0/question", "/questions/1/question"])
_text_event = st.one_of(
    st.tuples(st.just("chunk"), _token, st.none()),
    st.tuples(st.just("chunk"), _token, st.none()),
    st.tuples(st.just("reset"), st.sampled_from(["retry", "recovered"]), st.none()),
)
_part_event = st.one_of(
    st.tuples(st.just("chunk"), _token, _path),
    st.tuples(st.just("item"), st.one_of(st.none(), st.integers(), st.text(max_size=3)), _path),
    st.tuples(st.just("reset"), st.just("retry"), st.none()),
)
_body = st.one_of(
    st.lists(_text_event, max_size=90),
    st.lists(_part_event, max_size=90),
    # Long runs of chunks, because only these are merged.
    st.lists(st.tuples(st.just("chunk"), _token, st.none()), min_size=40, max_size=120),
)
_step = st.one_of(
    st.tuples(st.just("grow"), st.integers(1, 60)),
    st.tuples(st.just("take"), st.just(0)),
    st.tuples(st.just("reconnect"), st.sampled_from([0, 1])),
    st.tuples(st.just("lose the log"), st.integers(1, 1000)),
)


def _make(kind: str, value: object, path: str | None, seq: int) -> Event:
    match kind:
        case "chunk":
            return events.chunk(STREAM_ID, seq, str(value), path)
        case "item":
            return events.item(STREAM_ID, seq, str(path), value)
        case _:
            return events.reset(STREAM_ID, seq, value)  # type: ignore[arg-type]


@given(body=_body, steps=st.lists(_step, max_size=30), ending=st.booleans())
@settings(max_examples=200, deadline=None)
def test_random_growth_batches_cuts_and_lost_logs_add_up(
    body: list[tuple[str, object, str | None]], steps: list[tuple[str, int]], ending: bool
) -> None:
    """Any schedule of growth, writes, cuts and transport changes ends in the same state."""
    window, model, order = Window(HEAD), StreamState(), Order(STREAM_ID)
    client, todo, logged, losses = Client(), list(body), [], 0
    connection = client.connect(window, "sse")
    assert connection is not None

    def append(event: Event) -> None:
        order.check(event)
        window.append(event)
        model.apply(event)
        logged.append(event.seq)

    for step, n in [*steps, ("grow", len(body)), ("take", 0)]:
        if step == "grow":
            for kind, value, path in todo[:n]:
                append(_make(kind, value, path, window.last + 1))
            del todo[:n]
        elif step == "take":
            connection.take()
        elif step == "reconnect":
            connection = client.connect(window, TRANSPORTS[n])
            assert connection is not None  # it runs: there is always something to wait for
        else:
            # The process died and only the row is known: numbers continue above a mark.
            mark, losses = window.last + n, losses + 1
            row = StreamState(
                seq=mark,
                status=model.status,
                text=model.text,
                items=model.items,
                arriving=model.arriving,
            )
            window.replace(row)
            model.seq, order.seq = mark, mark
    if ending:
        append(events.cancelled(STREAM_ID, window.last + 1, by="owner"))
    connection.drain()

    assert summary(client.state) == summary(model)
    assert client.cursor == model.seq
    assert client.has_ended == connection.viewer.is_done == ending
    assert client.snapshots <= losses
    # In order, each at most once; and each exactly once if no log was lost.
    assert client.counted == sorted(set(client.counted))
    assert set(client.counted) <= set(logged)
    if not losses:
        assert client.counted == logged


def test_a_cursor_from_beyond_stays_bad_while_the_stream_grows_past_it() -> None:
    window = Window(HEAD)
    for seq in range(3):
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    client = Client()
    client.cursor = 5
    connection = client.connect(window, "websocket")
    assert connection is not None
    for seq in range(3, 8):
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    connection.drain()
    assert client.snapshots == 1
    assert client.state.text == "0 1 2 3 4 5 6 7 "
