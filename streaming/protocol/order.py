"""Check that logged events come in a legal order. Source: spec.md, "Rules"."""

from __future__ import annotations

from .events import LOGGED_TYPES, TERMINAL_TYPES, Event


class OrderError(Exception):
    """The event is illegal at this position."""


class Order:
    """Checks the logged events of one stream, one at a time.

    Each seq is the previous one plus 1, and nothing follows a terminal event. An answer never mixes
    chunks that have a path with chunks that have none.
    """

    __slots__ = ("has_ended", "has_paths", "seq", "stream_id")

    def __init__(self, stream_id: str, *, after: int = -1) -> None:
        self.stream_id = stream_id
        self.seq = after
        self.has_ended = False
        self.has_paths: bool | None = None  # do chunks have a path? None before the first chunk

    def copy(self) -> Order:
        twin = Order(self.stream_id, after=self.seq)
        twin.has_ended, twin.has_paths = self.has_ended, self.has_paths
        return twin

    def check(self, event: Event) -> None:
        """Accept the next event.

        Raises:
            OrderError: the event is illegal here; the state is unchanged.
        """
        seq = self.seq + 1
        if self.has_ended or event.seq != seq or event.stream_id != self.stream_id:
            raise OrderError(self._what_is_wrong_with(event))
        kind = event.type
        if kind == "chunk":
            has_path = "path" in event.fields
            if has_path is not self.has_paths:
                if self.has_paths is not None:
                    raise OrderError("chunks with and without a path in one answer")
                self.has_paths = has_path
        elif kind in LOGGED_TYPES:
            self.has_ended = kind in TERMINAL_TYPES
        else:
            raise OrderError(f"{kind} is not a logged event")
        self.seq = seq

    def _what_is_wrong_with(self, event: Event) -> str:
        if self.has_ended:
            return f"{event.type} after the terminal event"
        if event.seq is None:
            return f"{event.type} is not a logged event"
        if event.seq != self.seq + 1:
            return f"seq {event.seq} after {self.seq}"
        return "the event belongs to another stream"
