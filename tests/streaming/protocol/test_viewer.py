"""A viewer's frames: merging, snapshots, the end. Cuts and resumes are in test_resume.py."""

from __future__ import annotations

from itertools import pairwise

import pytest

from streaming.protocol import events
from streaming.protocol import viewer as viewers
from streaming.protocol.cursor import InvalidCursor
from streaming.protocol.frames import Frame
from streaming.protocol.state import StreamState
from streaming.protocol.viewer import (
    MERGE_ABOVE,
    TAKE_AT_MOST,
    Viewer,
    is_at_end,
    merge_chunks,
)
from streaming.protocol.window import Window
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun


def _window(n: int, *, ended: bool = False) -> Window:
    window = Window(HEAD)
    for seq in range(n):
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    if ended:
        window.append(events.cancelled(STREAM_ID, n, by="owner"))
    return window


def _numbers(frames: list[Frame]) -> list[tuple[int | None, int | None]]:
    """Return (first, last) seq of each frame."""
    return [(f.event.fields.get("first_seq", f.event.seq), f.event.seq) for f in frames]


# --- at once, behind, far behind ----------------------------------------------------


def test_a_viewer_that_keeps_up_shares_the_frames_of_the_window() -> None:
    window = _window(MERGE_ABOVE)
    frames = Viewer(window, -1).take()
    assert len(frames) == MERGE_ABOVE
    assert all(mine is shared for mine, shared in zip(frames, window.after(-1), strict=True))


def test_a_viewer_that_is_more_than_32_events_behind_gets_them_as_one() -> None:
    window = _window(33)
    (frame,) = Viewer(window, -1).take()
    assert _numbers([frame]) == [(0, 32)]
    assert frame.event.fields["token"] == window.state.text


def test_being_32_behind_is_not_being_more_than_32_behind() -> None:
    assert len(Viewer(_window(33), 0).take()) == 32


def test_a_viewer_far_behind_takes_bounded_portions_without_a_gap() -> None:
    window = _window(3 * TAKE_AT_MOST + 7, ended=True)
    viewer, portions = Viewer(window, -1), []
    while frames := viewer.take():
        portions.append(frames)
    assert len(portions) == 4
    ranges = _numbers([frame for portion in portions for frame in portion])
    assert ranges[0][0] == 0 and ranges[-1][1] == window.last
    assert all(second[0] == first[1] + 1 for first, second in pairwise(ranges) if first[1])  # type: ignore[operator]
    assert viewer.is_done


def test_a_viewer_with_no_news_is_sent_nothing() -> None:
    viewer = Viewer(_window(2), -1)
    assert viewer.has_news
    viewer.take()
    assert not viewer.has_news and viewer.take() == []


# --- merging ---------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_merging_keeps_the_numbers_the_text_and_everything_that_is_no_chunk(
    run: GoldenRun,
) -> None:
    frames = [Frame(event) for event in run.events]
    merged = merge_chunks(frames)
    counted = [seq for first, last in _numbers(merged) for seq in range(first, last + 1)]  # type: ignore[arg-type,operator]
    assert counted == [event.seq for event in run.events]
    whole = run.window(0).state
    for frame in merged:
        whole.apply(frame.event)
    assert (whole.text, whole.items, whole.arriving) == (
        run.window().state.text,
        run.window().state.items,
        run.window().state.arriving,
    )
    others = [frame for frame in frames if frame.event.type != "chunk"]
    assert [frame for frame in merged if frame.event.type != "chunk"] == others


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_no_two_neighbours_of_one_path_are_left_apart(run: GoldenRun) -> None:
    merged = [frame.event for frame in merge_chunks([Frame(event) for event in run.events])]
    for first, second in pairwise(merged):
        both_chunks = first.type == second.type == "chunk"
        assert not both_chunks or first.fields.get("path") != second.fields.get("path")


def test_chunks_of_different_paths_are_never_joined() -> None:
    log = [events.chunk(STREAM_ID, n, "x", f"/{n // 2}") for n in range(4)]
    merged = merge_chunks([Frame(event) for event in log])
    assert [frame.event.fields["path"] for frame in merged] == ["/0", "/1"]


def test_a_chunk_without_a_neighbour_stays_as_it_is() -> None:
    frame = Frame(events.chunk(STREAM_ID, 0, "x"))
    assert merge_chunks([frame])[0] is frame
    assert "first_seq" not in frame.event.fields


# --- snapshots ---------------------------------------------------------------------------


def test_a_cursor_beyond_a_running_stream_gets_a_snapshot_then_what_follows() -> None:
    window = _window(3)
    viewer = Viewer(window, 50)
    assert viewer.open().event.fields["after"] == 50
    (snapshot,) = viewer.take()
    assert snapshot.event.type == "snapshot"
    assert snapshot.event.fields["seq"] == 2 == viewer.cursor
    window.append(events.chunk(STREAM_ID, 3, "x"))
    assert _numbers(viewer.take()) == [(3, 3)]


def test_a_cursor_beyond_a_stream_that_has_nothing_yet_is_set_back_to_the_start() -> None:
    viewer = Viewer(Window(HEAD), 0)
    (snapshot,) = viewer.take()
    assert (snapshot.event.fields["seq"], snapshot.event.fields["status"]) == (-1, "queued")


def test_the_snapshot_of_an_ended_stream_has_its_final_status_and_the_end_follows() -> None:
    window = Window(HEAD, StreamState(seq=7, status="running", text="t", arriving={"/a": "x"}))
    window.append(events.cancelled(STREAM_ID, 8, by="owner"))
    viewer = Viewer(window, 2)
    snapshot, end = viewer.take()
    assert snapshot.event.fields == {
        "seq": 7,
        "status": "cancelled",
        "text": "t",
        "items": [],
        "arriving": {},
    }
    assert end.event.seq == 8 and viewer.is_done


@pytest.mark.parametrize("base", [-1, 0, 41])
def test_a_viewer_takes_exactly_what_lies_behind_its_cursor(base: int) -> None:
    window = Window(HEAD, StreamState(seq=base))
    for seq in range(base + 1, base + 6):
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    for cursor in range(base, base + 6):
        taken = Viewer(window, cursor).take()
        assert [frame.event.seq for frame in taken] == list(range(cursor + 1, base + 6))
        assert all(
            frame is again
            for frame, again in zip(taken, Viewer(window, cursor).take(), strict=True)
        )


def test_a_viewer_far_behind_takes_the_oldest_first_and_says_that_there_is_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewers, "TAKE_AT_MOST", 3)
    viewer = Viewer(_window(7), -1)
    taken = [[frame.event.seq for frame in viewer.take()] for _ in range(3) if viewer.has_news]
    assert taken == [[2], [5], [6]]  # adjacent chunks as one
    assert not viewer.has_more
    viewer = Viewer(_window(7), -1)
    viewer.take()
    assert viewer.has_more


def test_a_viewer_whose_window_was_replaced_gets_one_snapshot() -> None:
    window = _window(3)
    viewer = Viewer(window, -1)
    viewer.take()
    window.replace(StreamState(seq=1000, status="running", text="saved"))
    assert viewer.has_news and not viewer.is_done
    assert [frame.event.type for frame in viewer.take()] == ["snapshot"]
    assert viewer.cursor == 1000 and not viewer.has_news


def test_a_viewer_whose_state_is_ahead_of_its_log_waits_until_that_has_caught_up() -> None:
    """The row is ahead of the log read so far; none of its events may be repeated."""
    window = _window(3)
    keeps_up = Viewer(window, -1)
    keeps_up.take()
    window.replace(StreamState(seq=5, status="running", text="012345"), base=1)
    comes = Viewer(window, 4)
    for viewer in (keeps_up, comes):
        (snapshot,) = viewer.take()
        assert (snapshot.event.fields["seq"], viewer.cursor) == (5, 5)
        assert not viewer.has_news
        assert viewer.take() == []
    for seq in range(2, 8):
        window.append(events.chunk(STREAM_ID, seq, f"{seq}"))
        if seq == 4:
            assert [viewer.take() for viewer in (keeps_up, comes)] == [[], []]
    for viewer in (keeps_up, comes):
        assert viewer.has_news
        assert _numbers(viewer.take()) == [(6, 6), (7, 7)]
    assert window.state.text == "01234567"


def test_a_viewer_of_a_state_that_ends_later_needs_only_the_end() -> None:
    window = _window(3)
    viewer = Viewer(window, -1)
    viewer.take()
    window.replace(StreamState(seq=1000, status="running", text="saved"))
    assert [frame.event.type for frame in viewer.take()] == ["snapshot"]
    assert not viewer.is_done
    window.append(events.cancelled(window.head.stream_id, 1001, by="owner"))
    assert [frame.event.type for frame in viewer.take()] == ["cancelled"]
    assert viewer.is_done


# --- the end -------------------------------------------------------------------------------


def test_a_cursor_at_the_terminal_event_is_at_the_end_and_one_before_is_not() -> None:
    window = _window(3, ended=True)
    assert [is_at_end(window, after) for after in (-1, 2, 3)] == [False, False, True]
    viewer = Viewer(window, 3)
    assert viewer.is_done and viewer.take() == []
    assert viewer.open().event.fields["status"] == "cancelled"


def test_the_newest_event_of_a_running_stream_is_no_end() -> None:
    assert not is_at_end(_window(3), 2)
    assert not Viewer(_window(3), 2).is_done


@pytest.mark.parametrize("after", [4, 5, 9_999_999_999])
def test_a_cursor_beyond_the_terminal_event_is_refused(after: int) -> None:
    window = _window(3, ended=True)
    with pytest.raises(InvalidCursor):
        is_at_end(window, after)
    with pytest.raises(InvalidCursor):
        Viewer(window, after)


def test_a_cursor_just_before_the_terminal_event_can_always_be_honoured() -> None:
    for run in RUNS:
        window = run.window()
        if not window.has_ended:
            continue
        (frame,) = Viewer(window, window.last - 1).take()
        assert frame.event is window.state.terminal


# --- asides ---------------------------------------------------------------------------


def _think(window: Window, since_ms: int) -> None:
    window.tell(events.thinking(STREAM_ID, since_ms=since_ms))


def test_an_aside_comes_once_to_the_viewers_that_are_there_after_all_events() -> None:
    window = _window(2)
    viewer, behind = Viewer(window, 1), Viewer(window, -1)
    _think(window, 5)
    (frame,) = viewer.take()
    assert frame is window.aside
    assert viewer.take() == []
    assert not viewer.has_news and viewer.cursor == 1
    assert [each.event.type for each in behind.take()] == ["chunk", "chunk", "thinking"]
    assert Viewer(window, 1).take() == []  # a later viewer gets the next one
    _think(window, 1005)
    assert [each.event.fields for each in viewer.take()] == [{"since_ms": 1005}]


def test_an_aside_never_comes_after_the_event_that_ended_it() -> None:
    window = _window(0)
    viewer = Viewer(window, -1)
    _think(window, 5)
    window.append(events.chunk(STREAM_ID, 0, "x"))
    assert [frame.event.type for frame in viewer.take()] == ["chunk"]
    _think(window, 0)
    window.append(events.cancelled(STREAM_ID, 1, by="owner"))
    assert [frame.event.type for frame in viewer.take()] == ["cancelled"]
    assert viewer.is_done


def test_a_viewer_far_behind_gets_an_aside_only_after_everything_else() -> None:
    window = _window(TAKE_AT_MOST + 1)
    viewer = Viewer(window, -1)
    _think(window, 5)
    assert [frame.event.type for frame in viewer.take()] == ["chunk"]
    assert viewer.has_more
    assert [frame.event.type for frame in viewer.take()] == ["chunk", "thinking"]


def test_a_place_in_line_reaches_a_viewer_that_comes_later_until_the_next_event() -> None:
    window = _window(0)
    window.tell(events.queue(STREAM_ID, place=3))
    window.tell(events.queue(STREAM_ID, place=2))
    viewer = Viewer(window, -1)
    assert [frame.event.to_dict() for frame in (viewer.open(), *viewer.take())][1:] == [
        {"type": "queue", "stream_id": STREAM_ID, "place": 2}
    ]
    assert viewer.take() == [] and viewer.cursor == -1
    _think(window, 0)
    assert Viewer(window, -1).take() == []
    window.append(events.chunk(STREAM_ID, 0, "x"))
    assert [frame.event.type for frame in Viewer(window, -1).take()] == ["chunk"]


def test_a_snapshot_is_followed_by_an_aside_of_the_viewer_s_time() -> None:
    window = _window(2)
    viewer = Viewer(window, 50)  # beyond the running stream
    _think(window, 5)
    assert [frame.event.type for frame in viewer.take()] == ["snapshot", "thinking"]
