"""The events of a stream that this process holds, and the state they reduce to."""

from __future__ import annotations

from collections.abc import Sequence

from .events import TERMINAL_TYPES, Event, StreamHead
from .frames import Frame
from .state import StreamState


class Window:
    """The state at seq `base`, and all later events as frames.

    A stream that runs here has base -1 and all its events. A window built only from a row has the
    row's state as its base, and no events or just the terminal one. The terminal event is appended
    and is never part of the base; otherwise no viewer would receive it.
    """

    __slots__ = (
        "_added_up", "_state", "aside", "base", "frames", "has_ended", "head", "last", "version",
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
        self.frames: list[Frame] = []
        self.version = 0  # incremented when the base is replaced; viewers then need a snapshot
        self.has_ended = False
        self.aside: Frame | None = None
        """The newest unlogged event since the last logged one, for the viewers that are there."""
        self._begin(state or StreamState(), base)

    def _begin(self, state: StreamState, base: int | None) -> None:
        if state.terminal is not None:
            raise ValueError("a base must end before the terminal event; append that event")
        self._state = state
        self._added_up = 0  # number of frames already applied to `_state`
        self.base = state.seq if base is None else base
        self.last = self.base  # newest seq in the window

    @property
    def state(self) -> StreamState:
        """The state after the newest event, reduced lazily on access."""
        state = self._state
        for frame in self.frames[self._added_up :]:
            event = frame.event
            if event.seq is not None and event.seq > state.seq:
                state.apply(event)
        self._added_up = len(self.frames)
        return state

    def append(self, event: Event) -> None:
        """Append the next logged event, whose seq is `last + 1`."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Append the next logged events."""
        for event in events:
            seq = self.last + 1
            if event.seq != seq:
                raise ValueError(f"seq {event.seq} after {self.last}")
            self.last = seq
            self.frames.append(Frame(event))
            if event.type in TERMINAL_TYPES:
                self.has_ended = True
        self.aside = None

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
