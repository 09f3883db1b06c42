"""Computes how long viewers waited after a drop, purely from their records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.support.faults.history import StreamHistory, Viewing


@dataclass(frozen=True)
class _Wait:
    cursor: int  # the cursor at the drop
    lost_at: float
    ended_at: float


def resume_seconds(history: StreamHistory) -> list[float]:
    """Return the wait from each drop to the first newer logged event or snapshot.

    A drop is a disconnect by the client itself (`drop`). A `start` does not end a wait: the server
    sends it at once, without the log. A connection that breaks before anything new arrives does not
    end a wait either: the wait continues over the next one. A wait without an end lasts until the
    end of the record. If the viewer has no event yet, the wait includes the stream's own start.

    If an event did not exist at the drop, the wait starts when it appeared. That time is known if
    another viewer was connected at the drop, stayed, and received the event later. Otherwise the
    wait starts at the drop. The figure is then too long by upstream's time to say it, and never too
    short.

    The figures miss delays common to all viewers that stayed connected. They also miss the time
    that a replay took after its first event.
    """
    found = []
    for viewing in history.viewings:
        others = [other for other in history.viewings if other is not viewing]
        for wait in _waits(viewing):
            since = max(wait.lost_at, _there_at(wait, others))
            found.append(max(0.0, wait.ended_at - since))
    return found


def _waits(viewing: Viewing) -> Iterator[_Wait]:
    cursor = -1
    lost_at: float | None = None
    for connection in viewing.connections:
        for event, at in zip(connection.events, connection.times, strict=True):
            seq = event.get("seq")
            if seq is None or (seq <= cursor and event["type"] != "snapshot"):
                continue
            if lost_at is not None:
                yield _Wait(cursor, lost_at, at)
                lost_at = None
            cursor = seq
        if connection.ended_by == "drop" and lost_at is None:
            lost_at = connection.ended_at
    if lost_at is not None:
        yield _Wait(cursor, lost_at, viewing.connections[-1].ended_at)


def _there_at(wait: _Wait, others: Iterable[Viewing]) -> float:
    """Return when the awaited event existed, as far as other viewers saw it.

    A viewer that was itself disconnected is no witness: a replay that is stuck for all would then
    look prompt.
    """
    return min(
        (
            at
            for other in others
            for connection in other.connections
            if connection.times and connection.times[0] <= wait.lost_at <= connection.ended_at
            for event, at in zip(connection.events, connection.times, strict=True)
            if event.get("seq", -1) > wait.cursor
        ),
        default=wait.lost_at,
    )
