"""The events of a stream that are at hand, and the state they add up to."""

from __future__ import annotations

from collections.abc import Sequence

from .events import TERMINAL_TYPES, Event, StreamHead
from .frames import Frame
from .state import StreamState


class Window:
    """Everything after `base`, as frames, over the state that was reached at `base`.

    A stream that runs here has base -1 and all its events. One that is known from its row alone
    has the row's state as its base, and no events or just the terminal one: that one is appended
    and is never part of the base, else no viewer would get it.
    """

    __slots__ = ("_added_up", "_state", "base", "frames", "has_ended", "head", "last", "version")

    def __init__(
        self, head: StreamHead, state: StreamState | None = None, *, base: int | None = None
    ) -> None:
        """
        Args:
            base: where its events begin, if that is before the state: a row may be ahead of the
                beginning of its log.
        """
        self.head = head
        self.frames: list[Frame] = []
        self.version = 0  # grows when the base is replaced: viewers then need a snapshot
        self.has_ended = False
        self._begin(state or StreamState(), base)

    def _begin(self, state: StreamState, base: int | None) -> None:
        if state.terminal is not None:
            raise ValueError("a base ends before the terminal event; append that")
        self._state = state
        self._added_up = 0  # of the frames: so many are in `_state`
        self.base = state.seq if base is None else base
        self.last = self.base  # the newest seq at hand

    @property
    def state(self) -> StreamState:
        """What all that is at hand adds up to; added up when somebody looks."""
        state = self._state
        for frame in self.frames[self._added_up :]:
            event = frame.event
            if event.seq is not None and event.seq > state.seq:
                state.apply(event)
        self._added_up = len(self.frames)
        return state

    def append(self, event: Event) -> None:
        """Take in the next logged event: its seq is `last + 1`."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Take in the next logged events."""
        for event in events:
            seq = self.last + 1
            if event.seq != seq:
                raise ValueError(f"seq {event.seq} after {self.last}")
            self.last = seq
            self.frames.append(Frame(event))
            if event.type in TERMINAL_TYPES:
                self.has_ended = True

    def replace(self, state: StreamState, *, base: int | None = None) -> None:
        """Begin anew from a state: what is known of the stream no longer joins up."""
        self._begin(state, base)
        self.frames = []
        self.has_ended = False
        self.version += 1
