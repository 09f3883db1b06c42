"""The available events, and the state that precedes them."""

from __future__ import annotations

import pytest

from streaming.protocol import events
from streaming.protocol.state import StreamState
from streaming.protocol.window import Window
from tests.specs.fixture import RUNS
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun


def _window(n: int, *, base: int = -1) -> Window:
    window = Window(HEAD, StreamState(seq=base))
    for seq in range(base + 1, base + 1 + n):
        window.append(events.chunk(STREAM_ID, seq, f"{seq} "))
    return window


@pytest.mark.parametrize("seq", [-1, 1, 2, 4, 100])
def test_a_gap_or_a_repeat_is_never_taken_in(seq: int) -> None:
    window = _window(3)
    with pytest.raises(ValueError, match=f"seq {seq} after 2"):
        window.append(events.chunk(STREAM_ID, seq, "x"))
    assert window.last == 2 and len(window.after(-1)) == 3


def test_a_replaced_window_begins_at_the_new_state_and_says_so() -> None:
    window = _window(3)
    window.replace(StreamState(seq=99, status="running", text="saved"))
    assert (window.base, window.last, window.after(99), window.version) == (99, 99, [], 1)
    window.append(events.chunk(STREAM_ID, 100, "!"))
    assert window.state.text == "saved!"


def test_a_window_has_ended_when_its_terminal_event_is_in() -> None:
    window = _window(1)
    assert not window.has_ended
    window.append(events.cancelled(STREAM_ID, 1, by="owner"))
    assert window.has_ended


def test_a_base_that_has_ended_is_refused_since_nobody_would_get_the_end() -> None:
    ended = StreamState()
    ended.apply(events.cancelled(STREAM_ID, 0, by="owner"))
    with pytest.raises(ValueError, match="before the terminal event"):
        Window(HEAD, ended)
    with pytest.raises(ValueError, match="before the terminal event"):
        _window(1).replace(ended)


def test_an_aside_is_kept_until_the_next_event() -> None:
    window, thinking = _window(2), events.thinking(STREAM_ID, since_ms=5)
    window.tell(thinking)
    assert window.aside is not None and window.aside.event == thinking
    assert (window.last, len(window.after(-1))) == (1, 2)
    window.append(events.chunk(STREAM_ID, 2, "x"))
    assert window.aside is None
    window.tell(thinking)
    window.replace(StreamState(seq=9, status="running"))
    assert window.aside is None
    window.append(events.cancelled(STREAM_ID, 10, by="owner"))
    window.tell(thinking)
    assert window.aside is None


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_status_is_that_of_the_state(run: GoldenRun) -> None:
    for count in range(len(run.events) + 1):
        assert run.window(count).status == run.window(count).state.status
    reduced = run.window()
    assert reduced.state.status == reduced.status
