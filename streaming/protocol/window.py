"""The events of a stream that this process holds, and the state they reduce to."""

from __future__ import annotations

from collections.abc import Sequence

from .events import TERMINAL_TYPES, Event, StreamHead
from .frames import Frame
from .packed import BLOCK, PackedEvents, PackedView
from .state import StreamState

FRAMES_AT_MOST = 2 * BLOCK
"""Viewers share the frames of the newest events. A viewer further behind gets chunks merged."""

FRAMES_AT_END = 32
"""How many frames stay at first when the stream has ended, for the viewers that keep up."""


class Window:
    """The state at seq `base`, and all later events: the newest as frames, the others packed.

    A stream that runs here has base -1 and all its events. A window built only from a row has the
    row's state as its base, and no events or just the terminal one. The terminal event is appended
    and is never part of the base; otherwise no viewer would receive it.
    """

    __slots__ = (
        "_packed", "_state", "aside", "base", "frames", "has_ended", "head", "last", "version",
    )  # fmt: skip

    def __init__(
        self, head: StreamHead, state: StreamState | None = None, *, base: int | None = None
    ) -> None:
        """Create a window that holds no events yet.

        Args:
            base: the seq that the events start after, if it is lower than the state's seq. A row
                may be ahead of the start of its log.
        """
        self.head = head
        self.frames: list[Frame] = []  # of the newest events
        self.version = 0  # incremented when the base is replaced; viewers then need a snapshot
        self.has_ended = False
        self.aside: Frame | None = None
        """The newest unlogged event since the last logged one, for the viewers that are there."""
        self._begin(state or StreamState(), base)

    def _begin(self, state: StreamState, base: int | None) -> None:
        if state.terminal is not None:
            raise ValueError("a base must end before the terminal event; append that event")
        self._state = state
        self.base = state.seq if base is None else base
        self._packed = PackedEvents(self.head.stream_id, first=self.base + 1)
        self.last = self.base  # newest seq in the window

    @property
    def state(self) -> StreamState:
        """The state after the newest event, reduced lazily on access."""
        state = self._state
        if state.seq < self._packed.last:
            for event in self._packed.merged(state.seq, self._packed.last):
                state.apply(event)
        if state.seq < self.last:
            for frame in self.frames[state.seq - self.last :]:
                state.apply(frame.event)
        return state

    def append(self, event: Event) -> None:
        """Append the next logged event, whose seq is `last + 1`."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Append the next logged events."""
        if type(events) is PackedView:  # `isinstance` is slow with an abstract class
            return self._take_in(events)
        for event in events:
            seq = self.last + 1
            if event.seq != seq:
                raise ValueError(f"seq {event.seq} after {self.last}")
            self.last = seq
            self.frames.append(Frame(event))
            if event.type in TERMINAL_TYPES:
                self.has_ended = True
        self.aside = None
        if self.has_ended:
            self._pack(len(self.frames) - FRAMES_AT_END)
        elif len(self.frames) >= FRAMES_AT_MOST:
            self._pack(len(self.frames) - BLOCK)

    def _take_in(self, view: PackedView) -> None:
        """Append packed events; both holders share them."""
        if view.after != self.last:
            raise ValueError(f"seq {view.after + 1} after {self.last}")
        self.pack()
        self._packed.extend_packed(view)
        self.last = self._packed.last
        self.has_ended = self._packed.has_ended
        self.aside = None

    def pack(self) -> None:
        """Pack all events. They are encoded again for each viewer that is still to receive them."""
        self._pack(len(self.frames))

    def _pack(self, count: int) -> None:
        if count <= 0:
            return
        self._packed.extend([frame.event for frame in self.frames[:count]])
        del self.frames[:count]

    def after(self, seq: int) -> list[Frame]:
        """Return a frame for each event with a seq above that."""
        if seq >= self._packed.last:
            return self.frames[seq - self._packed.last :]
        return [*map(Frame, self._packed.events(seq)), *self.frames]

    def merged(self, after: int, last: int) -> list[Frame]:
        """Return frames of the events above `after` up to `last`, with some chunks merged."""
        found = [Frame(event) for event in self._packed.merged(after, last)]
        first = self._packed.last + 1
        return found + self.frames[max(0, after + 1 - first) : max(0, last + 1 - first)]

    def tell(self, aside: Event) -> None:
        """Keep an aside until the next event. Nothing follows a terminal event."""
        if not self.has_ended:
            self.aside = Frame(aside)

    def replace(self, state: StreamState, *, base: int | None = None) -> None:
        """Restart from a state, because the known events of the stream have a gap."""
        self._begin(state, base)
        self.frames = []
        self.has_ended = False
        self.aside = None
        self.version += 1
