"""Compute the frames that a viewer must receive. Source: spec.md, "Rules" and "Resume"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from . import events
from .cursor import InvalidCursor
from .events import Event
from .frames import Frame
from .window import Window

MERGE_ABOVE = 32
"""A viewer that lags by more events than this receives consecutive chunks merged."""

TAKE_AT_MOST = 1024
"""Most events in one write; bounds the memory that a lagging viewer uses at a time."""

CHARS_PER_EVENT = 4
"""Approximate length of one chunk."""

_NO_VERSION = -1  # matches no window, so a snapshot is due


def is_at_end(window: Window, after: int) -> bool:
    """Whether a cursor is at the stream's terminal event.

    Raises:
        InvalidCursor: the cursor lies beyond the terminal event.
    """
    if not window.has_ended or after < window.last:
        return False
    if after > window.last:
        raise InvalidCursor("The cursor lies beyond the end of the stream.")
    return True


class Viewer:
    """The cursor of one connection that watches one stream.

    Call `open` once, then `take` whenever `has_news`, until `is_done`.
    """

    __slots__ = ("_aside", "_version", "cursor", "has_more", "is_done", "window")

    def __init__(self, window: Window, after: int) -> None:
        """Start at a cursor.

        Raises:
            InvalidCursor: `after` lies beyond the terminal event.
        """
        is_at_end(window, after)
        self.window = window
        self.cursor = after
        aside = window.aside
        # Told before this viewer came. A place in line still holds; what else was told is over.
        self._aside = None if aside is not None and aside.event.type == "queue" else aside
        # Decided once: a stream that later grows past a cursor that was ahead of it must not
        # make that cursor valid.
        can_honour = window.base <= after <= window.last
        self._version = window.version if can_honour else _NO_VERSION
        self.has_more = False
        """Whether the last `take` reached `TAKE_AT_MOST` and events remain."""
        self.is_done = can_honour and window.has_ended and after == window.last
        """Whether the viewer has the terminal event, so that nothing follows."""

    @classmethod
    def joining(cls, window: Window) -> Viewer:
        """Begin with a snapshot of what holds, whatever was sent before; the rest follows it.

        For dialects whose clients keep no cursor.
        """
        viewer = cls(window, -1)
        viewer._version, viewer.is_done = _NO_VERSION, False
        return viewer

    @property
    def has_news(self) -> bool:
        return self.cursor < self.window.last or self._version != self.window.version

    @property
    def is_in_step(self) -> bool:
        """Whether the stream runs, and `take` returns all of the viewer's next frames at once.

        No snapshot, no end and no `has_more` come of it.
        """
        window = self.window
        return (
            not window.has_ended
            and self._version == window.version
            and window.last - self.cursor <= TAKE_AT_MOST
        )

    @property
    def backlog(self) -> int:
        """Approximate number of events to send before the viewer is up to date.

        A snapshot counts as the events that it replaces, estimated from their length.
        """
        window = self.window
        if self._version == window.version:
            return max(0, window.last - self.cursor)
        state = window.state
        return 1 + len(state.items) + len(state.text) // CHARS_PER_EVENT

    def open(self, ref: str | None = None) -> Frame:
        """Return the `start` event, which contains the cursor that this viewer starts at."""
        window = self.window
        return Frame(events.start(window.head, status=window.status, after=self.cursor, ref=ref))

    def take(self) -> list[Frame]:
        """Return the next frames to send, and advance the cursor past them; empty without news.

        The frames begin with a `snapshot` if the cursor can't be honoured. It then lies before the
        window, or beyond the last event of a running stream.
        """
        window = self.window
        if self._version != window.version:
            self._version = window.version
            return [Frame(self._snapshot()), *self.take()]
        begin, last = self.cursor, window.last
        behind = last - begin
        if behind <= 0:  # negative: the snapshot is ahead of the log events read so far
            return self._take_aside() if behind == 0 else []
        self.has_more = behind > TAKE_AT_MOST
        if self.has_more:
            self.cursor += TAKE_AT_MOST
            return merge_chunks(window.merged(begin, self.cursor))
        self.cursor = last
        self.is_done = window.has_ended
        if behind > MERGE_ABOVE:
            frames = merge_chunks(window.merged(begin, last))
        else:
            frames = window.after(begin)
        return frames if window.aside is self._aside else [*frames, *self._take_aside()]

    def sse_in_step(self) -> bytes | None:
        """Take as `take` does if the viewer `is_in_step`, and return the frames in SSE."""
        if (begin := self._step()) is not None:
            return self.window.sse_after(begin)
        frames = self._take_in_step()
        return None if frames is None else b"".join([frame.sse for frame in frames])

    def json_in_step(self) -> list[bytes] | None:
        """Take as `take` does if the viewer `is_in_step`, and return the texts of a WebSocket, in
        UTF-8."""
        if (begin := self._step()) is not None:
            return self.window.json_after(begin)
        frames = self._take_in_step()
        return None if frames is None else [frame.websocket.encode() for frame in frames]

    def _step(self) -> int | None:
        """Move a cursor that keeps up to the newest event, and return where it was.

        None: `take` must decide what comes next.
        """
        window, begin = self.window, self.cursor
        if (
            not 0 < window.last - begin <= MERGE_ABOVE
            or window.has_ended
            or window.aside is not self._aside
            or self._version != window.version
        ):
            return None
        self.cursor = window.last
        return begin

    def _take_in_step(self) -> list[Frame] | None:
        return self.take() if self.is_in_step else None

    def _take_aside(self) -> list[Frame]:
        """Return the newest aside, once. It follows all logged events."""
        aside = self.window.aside
        if aside is self._aside:
            return []
        self._aside = aside
        return [] if aside is None else [aside]

    def _snapshot(self) -> Event:
        state = self.window.state
        # An ended stream's snapshot stops before the terminal event, which follows immediately.
        self.cursor = state.seq - 1 if state.terminal else state.seq
        return events.snapshot(
            self.window.head.stream_id,
            seq=self.cursor,
            status=state.status,
            text=state.text,
            items=state.items,
            arriving=state.arriving,
        )


def merge_chunks(frames: Iterable[Frame]) -> list[Frame]:
    """Merge consecutive chunks of the same path; other frames stay unchanged.

    A chunk may itself be a merged one.
    """

    def key(frame: Frame) -> tuple[str, object]:
        event = frame.event
        return (event.type, event.fields.get("path") if event.type == "chunk" else event.seq)

    merged: list[Frame] = []
    for (kind, path), group in groupby(frames, key=key):
        run = list(group)
        first, last = run[0].event, run[-1].event
        if kind != "chunk" or len(run) == 1:
            merged += run
            continue
        assert first.stream_id is not None and first.seq is not None and last.seq is not None
        token = "".join(frame.event.fields["token"] for frame in run)
        event = events.merged_chunk(
            first.stream_id,
            first.fields.get("first_seq", first.seq),
            last.seq,
            token,
            path if isinstance(path, str) else None,
        )
        merged.append(Frame(event))
    return merged
