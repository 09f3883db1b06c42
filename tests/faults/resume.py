"""How long viewers waited who had lost their line: a pure function of what they recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults.history import StreamHistory, Viewing


@dataclass(frozen=True)
class _Wait:
    cursor: int  # what was held at the loss
    lost_at: float
    ended_at: float


def resume_seconds(history: StreamHistory) -> list[float]:
    """From each loss to the first logged event, or snapshot, beyond what the viewer held then.

    A loss is the client's own doing (`drop`). `start` ends no wait: it is sent at once, and comes
    from no log. Nor does a connection that broke before anything new came: the wait goes on over
    the next one. A wait that nothing ended counts up to the end of the record. Of a viewer who had
    nothing yet, the wait holds the stream's own start.

    An event that was not there yet at the loss is waited for from when it was. That is known where
    somebody else was on the line at the loss, stayed, and got it later. Else it is waited for from
    the loss: the figure is then too long by what upstream took to say it, and never too short.

    Not seen is what came late to everybody alike who stayed on the line, and how long the rest of
    a replay took after its first event.
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
    """When what was waited for was there, as far as others saw it. Who had lost his line as well
    is no witness: a replay that is stuck for all would then look prompt."""
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
