"""The events of a stream that are at hand, and the state they add up to."""

from __future__ import annotations

from .events import Event, StreamHead
from .frames import Frame
from .state import StreamState


class Window:
    """Everything after `base`, as frames, over the state that was reached at `base`.

    A stream that runs here has base -1 and all its events. One that is known from its row alone
    has the row's state as its base, and no events or just the terminal one: that one is appended
    and is never part of the base, else no viewer would get it.
    """

    def __init__(self, head: StreamHead, state: StreamState | None = None) -> None:
        self.head = head
        self.state = _not_ended(state or StreamState())
        self.base = self.state.seq
        self.last = self.base  # the newest seq at hand
        self.frames: list[Frame] = []
        self.version = 0  # grows when the base is replaced: viewers then need a snapshot

    @property
    def has_ended(self) -> bool:
        return self.state.terminal is not None

    def append(self, event: Event) -> None:
        """Take in the next logged event: its seq is `last + 1`."""
        if event.seq != self.last + 1:
            raise ValueError(f"seq {event.seq} after {self.last}")
        self.state.apply(event)
        self.last = event.seq
        self.frames.append(Frame(event))

    def replace(self, state: StreamState) -> None:
        """Begin anew from a state: what is known of the stream no longer joins up."""
        self.state = _not_ended(state)
        self.base = self.last = state.seq
        self.frames = []
        self.version += 1


def _not_ended(state: StreamState) -> StreamState:
    if state.terminal is not None:
        raise ValueError("a base ends before the terminal event; append that")
    return state
