"""Packed events come out as they went in, at every cursor, and take little memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.event_log.memory import MemoryEventLog
from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.frames import Frame, encode_sse
from streaming.protocol.packed import BLOCK, PackedEvents, PackedView
from streaming.protocol.state import StreamState
from streaming.protocol.viewer import MERGE_ABOVE, TAKE_AT_MOST, Viewer, merge_chunks
from streaming.protocol.window import Window
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun
from tests.support.sizes import sized

TOKENS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "\0", "\n", "\ud83d", "\ude00", "\U0001f600", "\u20ac"]),
)
PATHS = st.sampled_from(["/title", "/questions/0/question", "/questions/1/question"])
RUNS_OF_EXAMPLES = settings(max_examples=sized(60, 300), deadline=None)


@st.composite
def logs(draw: st.DrawFn, *, first: int = 0) -> list[Event]:
    """Draw the events of a stream: runs of chunks, with items and resets between them."""
    has_paths = draw(st.booleans())
    found: list[Event] = []
    for _ in range(draw(st.integers(0, 8))):
        path = draw(PATHS) if has_paths else None
        for token in draw(st.lists(TOKENS, max_size=6)) * draw(st.sampled_from([1, 1, 1, 50])):
            found.append(events.chunk(STREAM_ID, first + len(found), token, path))
        kind = draw(st.sampled_from(["item", "void", "reset", ""]))
        seq = first + len(found)
        if kind == "reset":
            found.append(events.reset(STREAM_ID, seq, "retry"))
        elif kind:
            value = {"text": draw(TOKENS)} if kind == "item" else None
            found.append(events.item(STREAM_ID, seq, draw(PATHS), value))
    if draw(st.booleans()):
        found.append(events.cancelled(STREAM_ID, first + len(found), by="owner"))
    return found


def packed_in_portions(log: list[Event], size: int, *, first: int = 0) -> PackedEvents:
    packed = PackedEvents(STREAM_ID, first=first)
    for begin in range(0, len(log), size):
        packed.extend(log[begin : begin + size])
    return packed


def spelled_out(log: list[Event]) -> list[bytes]:
    return [encode_sse(event) for event in log]


def cursors(log: list[Event]) -> list[int]:
    """Return all cursors of a short log, and those around each tenth of a long one."""
    step = max(1, len(log) // 20)
    return sorted({min(len(log), at + by) for at in range(0, len(log) + 1, step) for by in (0, 1)})


@RUNS_OF_EXAMPLES
@given(st.data(), st.sampled_from([0, 1, 70]), st.sampled_from([1, 3, 7, 1000]))
def test_every_cursor_of_a_log_gives_the_same_events(
    data: st.DataObject, first: int, size: int
) -> None:
    log = data.draw(logs(first=first))
    packed = packed_in_portions(log, size, first=first)
    assert packed.last == first + len(log) - 1
    for at in cursors(log):
        found = packed.events(first + at - 1)
        assert found == log[at:]
        assert spelled_out(found) == spelled_out(log[at:])  # the order of the fields, too


@RUNS_OF_EXAMPLES
@given(logs(), st.integers(0, 60))
def test_a_packed_part_of_a_window_merges_to_the_same_frames(log: list[Event], length: int) -> None:
    window = Window(HEAD)
    window.extend(PackedView(packed_in_portions(log, 7), -1))
    for at in cursors(log):
        last = min(at - 1 + length, len(log) - 1)
        merged = merge_chunks(window.merged(at - 1, last))
        plain = merge_chunks(map(Frame, log[at : last + 1]))
        assert [frame.sse for frame in merged] == [frame.sse for frame in plain]


def received(window: Window, after: int) -> list[bytes]:
    """Return what a viewer receives from a cursor to the newest event."""
    viewer = Viewer(window, after)
    found = []
    while frames := viewer.take():
        found += [frame.sse for frame in frames]
    return found


@RUNS_OF_EXAMPLES
@given(logs(), st.booleans())
def test_a_viewer_receives_what_the_events_say_at_every_cursor(
    log: list[Event], is_packed: bool
) -> None:
    window, packed = Window(HEAD), packed_in_portions(log, 7)
    if is_packed:
        packed.pack()
    window.extend(PackedView(packed, -1))
    for at in cursors(log):
        behind = log[at:]
        portions = [behind[n : n + TAKE_AT_MOST] for n in range(0, len(behind), TAKE_AT_MOST)]
        frames = [list(map(Frame, portion)) for portion in portions]
        expected = [
            frame.sse
            for portion in frames
            for frame in (merge_chunks(portion) if len(behind) > MERGE_ABOVE else portion)
        ]
        assert received(window, at - 1) == expected
    state = StreamState()
    for event in log:
        state.apply(event)
    assert (window.state.text, window.state.items, window.state.arriving) == (
        state.text,
        state.items,
        state.arriving,
    )


@RUNS_OF_EXAMPLES
@given(logs(), st.sampled_from([1, 2, 5, 31]))
def test_a_viewer_in_step_gets_the_same_bytes_as_one_whose_task_wakes(
    log: list[Event], size: int
) -> None:
    window = Window(HEAD)
    slow, sse, socket = (Viewer(window, -1) for _ in range(3))
    for begin in range(0, len(log), size):
        window.extend(log[begin : begin + size])
        if window.has_ended:
            assert sse.sse_in_step() is None and socket.json_in_step() is None
            return
        frames = slow.take()
        assert sse.sse_in_step() == b"".join([frame.sse for frame in frames])
        assert socket.json_in_step() == [frame.websocket.encode() for frame in frames]


def test_what_viewers_in_step_take_is_encoded_once() -> None:
    window = Window(HEAD)
    viewers = [Viewer(window, -1) for _ in range(2)]
    window.extend([events.chunk(STREAM_ID, seq, "x") for seq in range(2)])
    first, second = (viewer.sse_in_step() for viewer in viewers)
    assert first and first is second
    window.append(events.chunk(STREAM_ID, 2, "x"))
    first_json, second_json = (viewer.json_in_step() for viewer in viewers)
    assert first_json and first_json is second_json


def test_a_window_does_not_write_into_the_log_that_it_shares() -> None:
    log = [events.chunk(STREAM_ID, seq, "x") for seq in range(3)]
    packed, window = packed_in_portions(log, 3), Window(HEAD)
    window.extend(PackedView(packed, -1))
    packed.append(events.chunk(STREAM_ID, 3, "y"))  # as the log does
    window.extend(PackedView(packed, 2))
    assert (window.last, window.state.text) == (3, "xxxy")
    window.append(events.cancelled(STREAM_ID, 4, by="owner"))
    assert window.has_ended and window.last == 4
    assert (packed.last, packed.end) == (3, None)


def test_a_view_shows_nothing_that_came_after_it() -> None:
    packed = packed_in_portions([events.chunk(STREAM_ID, seq, "x") for seq in range(3)], 3)
    view = PackedView(packed, 0)
    packed.append(events.chunk(STREAM_ID, 3, "y"))
    assert [event.seq for event in view] == [1, 2] and len(view) == 2
    window = Window(HEAD)
    window.append(events.chunk(STREAM_ID, 0, "x"))
    window.extend(view)
    assert (window.last, window.state.text) == (2, "xxx")


def test_a_text_of_more_than_64_kib_comes_out_as_it_went_in() -> None:
    log = [events.chunk(STREAM_ID, seq, token * 70_000) for seq, token in enumerate("a\u20acb")]
    packed = packed_in_portions(log, 3)
    assert [packed.events(at - 1) for at in range(4)] == [log[at:] for at in range(4)]


@RUNS_OF_EXAMPLES
@given(logs(), st.sampled_from([1, 7, 1000]))
def test_a_window_takes_in_a_packed_log_from_any_cursor(log: list[Event], size: int) -> None:
    packed = packed_in_portions(log, size)
    for at in cursors(log):
        window, view = Window(HEAD), PackedView(packed, at - 1)
        window.extend(log[:at])
        assert (len(view), list(view), view[:1]) == (len(log) - at, log[at:], log[at:][:1])
        window.extend(view)
        assert [frame.event for frame in window.after(-1)] == log
        assert window.last == len(log) - 1
        assert window.has_ended == (bool(log) and log[-1].is_terminal)


def test_packed_events_that_leave_a_gap_are_not_taken_in() -> None:
    packed = packed_in_portions([events.chunk(STREAM_ID, seq, "x") for seq in range(9)], 9)
    with pytest.raises(ValueError, match="seq 4 after -1"):
        Window(HEAD).extend(PackedView(packed, 3))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_golden_runs_resume_the_same_at_every_cursor_once_they_are_packed(
    run: GoldenRun,
) -> None:
    whole = run.window()
    packed = PackedEvents(STREAM_ID, first=whole.base + 1)
    packed.extend(frame.event for frame in whole.after(whole.base))
    packed.pack()
    for after in range(whole.base, whole.last + 1):
        window = run.window(0)
        window.extend(PackedView(packed, window.base))
        assert received(window, after) == received(whole, after)


def test_a_viewer_goes_on_in_a_running_stream_whose_old_events_are_packed() -> None:
    window, viewers = Window(HEAD), []
    for seq in range(6 * BLOCK):
        viewers.append((seq, Viewer(window, seq - 1)))
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    for seq, viewer in viewers[::7]:
        text = ""
        while frames := viewer.take():
            text += "".join(frame.event.fields["token"] for frame in frames)
        assert text == "".join(f"{number} " for number in range(seq, 6 * BLOCK))


def test_the_state_of_a_row_that_is_ahead_of_its_log_counts_nothing_twice() -> None:
    saved = StreamState(seq=300, status="running", text="saved")
    window = Window(HEAD, saved, base=-1)
    window.extend([events.chunk(STREAM_ID, seq, "x") for seq in range(2 * BLOCK + 10)])
    assert window.state.text == "saved" + "x" * (2 * BLOCK + 10 - 301)


def cost_of(make: Callable[[], object]) -> int:
    """Return the bytes that the made object holds."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        cost, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del made
    return cost


def plain(seq: int) -> Event:
    return events.chunk(STREAM_ID, seq, f"token{seq % 10} "[: 3 + seq % 5])


def wide(seq: int) -> Event:
    return events.chunk(STREAM_ID, seq, "\u4e16\u754c\U0001f30d"[seq % 3])


def of_a_quiz(seq: int) -> Event:
    if seq % 20 == 19:
        value = {"question": f"Why {seq}?", "options": [f"{seq}{x}" for x in "abcd"], "answer": 1}
        return events.item(STREAM_ID, seq, f"/questions/{seq // 20}", value)
    return events.chunk(STREAM_ID, seq, f"word{seq % 7} ", f"/questions/{seq // 20}/question")


@pytest.mark.parametrize("make", [plain, wide, of_a_quiz])
def test_packed_events_are_said_to_take_what_they_take(make: Callable[[int], Event]) -> None:
    packed = PackedEvents(STREAM_ID)

    def pack() -> None:
        for begin in range(0, 5120, BLOCK):
            packed.extend([make(seq) for seq in range(begin, begin + BLOCK)])

    cost = cost_of(pack)
    assert packed.weight == pytest.approx(cost, rel=0.15)


@pytest.mark.parametrize("make", [plain, wide])
def test_an_ended_answer_of_a_thousand_tokens_takes_30_kilobytes_at_most(
    make: Callable[[int], Event],
) -> None:
    log, window = MemoryEventLog(keep_seconds=60, now=lambda: 0.0), Window(HEAD)

    async def run() -> None:
        await log.open(STREAM_ID)
        epoch = await log.acquire(STREAM_ID)
        assert epoch is not None
        await log.subscribe(STREAM_ID, window.extend, on_gone=lambda: None)
        for seq in range(1000):
            log.append_now(STREAM_ID, epoch, make(seq))
            for frame in window.after(seq - 1):
                assert frame.sse
        log.append_now(STREAM_ID, epoch, events.cancelled(STREAM_ID, 1000, by="owner"))
        assert window.state.text

    assert cost_of(lambda: asyncio.run(run())) <= 30_000


def test_a_window_does_not_write_into_a_log_that_it_no_longer_follows() -> None:
    old = packed_in_portions([events.chunk(STREAM_ID, seq, "a") for seq in range(3)], 3)
    first, second = Window(HEAD), Window(HEAD)
    for window in (first, second):
        window.extend(PackedView(old, -1))
    anew = PackedEvents(STREAM_ID, first=3)  # the log was dropped, and opened anew at its end
    anew.append(events.chunk(STREAM_ID, 3, "b"))
    for window in (first, second):
        window.extend(PackedView(anew, 2))
        assert (window.last, window.state.text) == (3, "aaab")
    assert old.last == 2


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_window_shows_nothing_that_its_log_got_after_it_left(is_shared: bool) -> None:
    log = packed_in_portions([events.chunk(STREAM_ID, seq, "a") for seq in range(3)], 3)
    window = Window(HEAD)
    window.is_shared = is_shared
    window.extend(PackedView(log, -1))
    viewer = Viewer(window, 0)
    log.append(events.chunk(STREAM_ID, 3, "b"))
    log.append(events.cancelled(STREAM_ID, 4, by="owner"))
    assert [frame.event.seq for frame in Viewer(window, 0).take()] == [1, 2]
    assert viewer.sse_in_step() == b"".join(
        encode_sse(events.chunk(STREAM_ID, seq, "a")) for seq in (1, 2)
    )
    assert (window.last, window.status, window.state.text) == (2, "running", "aaa")
    window.append(events.chunk(STREAM_ID, 3, "c"))  # from its row
    assert window.state.text == "aaac" and log.last == 4


def test_what_a_lone_viewer_took_is_not_kept() -> None:
    window = Window(HEAD)
    window.is_shared = False
    window.extend([events.chunk(STREAM_ID, seq, "x") for seq in range(3)])
    first, second = Viewer(window, -1), Viewer(window, -1)
    assert first.sse_in_step() == second.sse_in_step()
    assert Viewer(window, -1).take()[0] is not Viewer(window, -1).take()[0]
