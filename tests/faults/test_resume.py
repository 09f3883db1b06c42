"""Resume times are measured by logged events, in handmade histories."""

from __future__ import annotations

import pytest

from tests.support.faults.history import Connection, Event, StreamHistory, Viewing
from tests.support.faults.resume import resume_seconds

START: Event = {"type": "start"}


def chunk(seq: int) -> Event:
    return {"type": "chunk", "seq": seq, "token": "x"}


def line(began_at: float, ended_at: float, ended_by: str, **came: float) -> Connection:
    """Build a connection with an immediate `start`; `e5=2.0` means chunk 5 two seconds later."""
    connection = Connection("sse", 1, -1, began_at, ended_by=ended_by, ended_at=ended_at)
    connection.events = [START, *(chunk(int(name[1:])) for name in came)]
    connection.times = [began_at, *came.values()]
    return connection


def lost(*connections: Connection) -> Viewing:
    """Build a viewer that had chunk 0 and lost the connection at 1.0."""
    return Viewing("lost", [line(0.0, 1.0, "drop", e0=0.1), *connections])


def resumes(*viewings: Viewing) -> list[float]:
    return resume_seconds(StreamHistory("s", list(viewings)))


def test_it_ends_with_the_next_logged_event() -> None:
    assert resumes(lost(line(1.1, 9.0, "terminal", e1=1.5, e2=8.0))) == [0.5]


def test_a_replay_that_is_stuck_after_its_start_is_seen() -> None:
    assert resumes(lost(line(1.1, 31.0, "terminal", e1=31.0))) == [30.0]


def test_what_was_held_already_is_no_resume() -> None:
    again = line(1.1, 9.0, "terminal", e0=1.2, e1=4.0)
    assert resumes(lost(again)) == [3.0]
    again.events[1:] = [{"type": "ping"}, chunk(1)]
    assert resumes(lost(again)) == [3.0]


def test_a_snapshot_is_one_wherever_it_stands() -> None:
    again = line(1.1, 9.0, "terminal", e1=1.5)
    again.events[1] = {"type": "snapshot", "seq": 0}
    assert resumes(lost(again)) == [0.5]


def test_a_line_that_breaks_before_anything_came_is_carried_on_to_the_next() -> None:
    broken = [line(1.1, 4.0, "drop"), line(4.1, 5.0, "lost"), line(5.0, 5.0, "refused")]
    assert resumes(lost(*broken, line(5.1, 9.0, "terminal", e1=7.0))) == [6.0]


def test_who_never_got_anything_counts_with_all_that_time() -> None:
    assert resumes(lost(line(1.1, 60.0, "deadline"))) == [59.0]
    assert resumes(lost(line(1.1, 30.0, "drop"), line(30.1, 60.0, "deadline"))) == [59.0]


def test_each_loss_after_something_new_counts_by_itself() -> None:
    again = [line(1.1, 2.0, "drop", e1=1.25), line(2.1, 9.0, "terminal", e2=4.0)]
    assert resumes(lost(*again)) == [0.25, 2.0]


def test_a_loss_that_is_not_the_clients_doing_is_not_counted() -> None:
    """Another figure measures how soon viewers have more after a process's death."""
    viewing = lost(line(1.1, 9.0, "terminal", e1=8.0))
    viewing.connections[0].ended_by = "lost"
    assert resumes(viewing) == []


def test_an_event_that_was_held_back_is_waited_for_from_when_others_had_it() -> None:
    witness = Viewing("stayed", [line(0.0, 40.0, "terminal", e0=0.1, e1=30.0, e2=31.0)])
    assert resumes(lost(line(1.1, 40.0, "terminal", e1=30.5)), witness) == [0.5]
    assert resumes(lost(line(1.1, 40.0, "terminal", e1=29.9)), witness) == [0.0]
    assert resumes(lost(line(1.1, 60.0, "deadline")), witness) == [30.0]


@pytest.mark.parametrize(
    "witness",
    [
        pytest.param(line(0.0, 40.0, "terminal", e0=0.1, e1=0.9), id="had-it-before"),
        pytest.param(line(0.0, 2.0, "drop", e0=0.1), id="left-before-it-came"),
        pytest.param(line(1.2, 40.0, "terminal", e0=1.3, e1=30.0), id="came-after-the-loss"),
    ],
)
def test_else_from_the_loss(witness: Connection) -> None:
    again = line(1.1, 40.0, "terminal", e1=31.0)
    assert resumes(lost(again), Viewing("other", [witness]))[0] == 30.0


def test_a_replay_that_is_stuck_for_all_who_come_back_is_seen() -> None:
    viewings = [lost(line(1.1, 40.0, "terminal", e1=at)) for at in (31.0, 31.5)]
    assert resumes(*viewings) == [30.0, 30.5]
