"""The events of a stream that this process holds, and the state they reduce to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .events import Event, Status, StreamHead
from .frames import Frame, json_of_texts, sse_of_texts
from .packed import PackedEvents, PackedView
from .state import StreamState

_NOWHERE = -2  # no viewer takes from there
_NO_FRAMES: tuple[int, int, list[Frame]] = (_NOWHERE, _NOWHERE, [])
_NO_SSE: tuple[int, int, bytes] = (_NOWHERE, _NOWHERE, b"")
_NO_JSON: tuple[int, int, list[bytes]] = (_NOWHERE, _NOWHERE, [])


class Window:
    """The state at seq `base`, and all later events.

    A stream that runs here has base -1 and all its events. A window built only from a row has the
    row's state as its base, and no events or just the terminal one. The terminal event is appended
    and is never part of the base; otherwise no viewer would receive it.

    The viewers that keep up take the same newest events at nearly the same time. So what was last
    taken is kept with its encodings, and shared.
    """

    __slots__ = (
        "_frames", "_is_borrowed", "_json", "_packed", "_sse", "_state", "aside", "base",
        "has_ended", "head", "is_shared", "last", "version",
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
        self.is_shared = True
        """Whether what a viewer took is kept, because others may take the same."""
        self.version = 0  # incremented when the base is replaced; viewers then need a snapshot
        self._begin(state or StreamState(), base)

    def _begin(self, state: StreamState, base: int | None) -> None:
        if state.terminal is not None:
            raise ValueError("a base must end before the terminal event; append that event")
        self._state = state
        self.base = state.seq if base is None else base
        self._packed = PackedEvents(self.head.stream_id, first=self.base + 1)
        self._is_borrowed = False  # whether `_packed` belongs to the log, which appends to it
        self.last = self.base  # newest seq in the window
        self.has_ended = False
        self.aside: Frame | None = None
        """The newest unlogged event since the last logged one, for the viewers that are there."""
        self.forget_taken()

    def forget_taken(self) -> None:
        """Drop the encodings that viewers share. A viewer that comes later makes them again."""
        self._frames, self._sse, self._json = _NO_FRAMES, _NO_SSE, _NO_JSON

    @property
    def state(self) -> StreamState:
        """The state after the newest event, reduced lazily on access."""
        state = self._state
        if state.seq < self.last:
            for event in self._packed.merged(state.seq, self.last):
                state.apply(event)
        return state

    @property
    def status(self) -> Status:
        """The status after the newest event, without reducing the state to it."""
        if self.has_ended:
            return cast(Status, cast(Event, self._packed.end).type)
        return self._state.status if self._state.seq >= self.last else "running"

    def append(self, event: Event) -> None:
        """Append the next logged event, whose seq is `last + 1`."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Append the next logged events. A view of a log's events is shared with the log."""
        packed = self._packed
        if type(events) is PackedView:  # `isinstance` is slow with an abstract class
            if events.after != self.last:
                raise ValueError(f"seq {events.after + 1} after {self.last}")
            if events.packed is packed and packed.is_open:  # nearly always
                self.last = events.last
                self.aside = None
                return
            self._take_in(events)
        else:
            packed = self._own()
            for event in events:
                if event.seq != packed.last + 1:
                    self._note_news()
                    raise ValueError(f"seq {event.seq} after {packed.last}")
                packed.append(event)
        self._note_news()

    def _take_in(self, view: PackedView) -> None:
        if view.packed is self._packed:
            return
        if self.last == self.base:
            self._packed, self._is_borrowed = view.packed, True
        else:
            self._own().extend_packed(view)

    def _own(self) -> PackedEvents:
        """Return the window's own events. A borrowed log is copied first: it is not ours to change,
        and further ones that it gets are not ours either."""
        if self._is_borrowed:
            self._packed, self._is_borrowed = self._packed.copy(upto=self.last), False
        return self._packed

    def _note_news(self) -> None:
        packed = self._packed
        self.last = packed.last
        self.has_ended = packed.end is not None
        self.aside = None

    def after(self, seq: int) -> list[Frame]:
        """Return a frame for each event with a seq above that."""
        after, last, frames = self._frames
        if after != seq or last != self.last:
            frames = list(map(Frame, self._packed.events(seq)[: self.last - seq]))
            if self.is_shared:
                self._frames = (seq, self.last, frames)
        return frames

    def sse_after(self, seq: int) -> bytes:
        """Return what the frames of `after` are in SSE."""
        after, last, sse = self._sse
        if after != seq or last != self.last:
            tokens = self._packed.newest_texts(seq, self.last)
            if tokens is not None:
                sse = sse_of_texts(self.head.stream_id, seq + 1, tokens)
            else:
                sse = b"".join([frame.sse for frame in self.after(seq)])
            if self.is_shared:
                self._sse = (seq, self.last, sse)
        return sse

    def json_after(self, seq: int) -> list[bytes]:
        """Return what the frames of `after` are as texts of a WebSocket, in UTF-8."""
        after, last, json = self._json
        if after != seq or last != self.last:
            tokens = self._packed.newest_texts(seq, self.last)
            if tokens is not None:
                json = json_of_texts(self.head.stream_id, seq + 1, tokens)
            else:
                json = [frame.websocket.encode() for frame in self.after(seq)]
            if self.is_shared:
                self._json = (seq, self.last, json)
        return json

    def merged(self, after: int, last: int) -> list[Frame]:
        """Return frames of the events above `after` up to `last`; neighbouring chunks of one path
        are merged."""
        return [Frame(event) for event in self._packed.merged(after, last)]

    def tell(self, aside: Event) -> None:
        """Keep an aside until the next event. Nothing follows a terminal event."""
        if not self.has_ended:
            self.aside = Frame(aside)

    def replace(self, state: StreamState, *, base: int | None = None) -> None:
        """Restart from a state, because the known events of the stream have a gap."""
        self._begin(state, base)
        self.version += 1
