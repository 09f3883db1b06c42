"""What a viewer must be sent. Source: spec.md, "Rules" and "Resume"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from . import events
from .cursor import InvalidCursor
from .events import Event
from .frames import Frame
from .window import Window

MERGE_ABOVE = 32
"""A viewer that is more than so many events behind gets neighbouring chunks as one."""

TAKE_AT_MOST = 1024
"""Events in one write: bounds what a viewer far behind holds at a time."""

CHARS_PER_EVENT = 4
"""About what one chunk carries."""

_NO_VERSION = -1  # of no window: a snapshot is due


def is_at_end(window: Window, after: int) -> bool:
    """Whether a cursor holds the stream's terminal event.

    Raises:
        InvalidCursor: it lies beyond the terminal event.
    """
    if not window.has_ended or after < window.last:
        return False
    if after > window.last:
        raise InvalidCursor("The cursor lies beyond the end of the stream.")
    return True


class Viewer:
    """A cursor over one stream: one connection that watches it.

    The three verbs: `open` once, then `take` whenever there is news, until `is_done`.
    """

    __slots__ = ("_version", "cursor", "has_more", "is_done", "window")

    def __init__(self, window: Window, after: int) -> None:
        """
        Raises:
            InvalidCursor: `after` lies beyond the terminal event.
        """
        is_at_end(window, after)
        self.window = window
        self.cursor = after
        # Decided now: a stream that grows past a cursor from beyond it must not make it look good.
        can_honour = window.base <= after <= window.last
        self._version = window.version if can_honour else _NO_VERSION
        self.has_more = False
        """Whether the last `take` left something behind, which would have been too much at once."""
        self.is_done = can_honour and window.has_ended and after == window.last
        """Whether the terminal event has been taken: nothing will follow."""

    @property
    def has_news(self) -> bool:
        return self.cursor < self.window.last or self._version != self.window.version

    @property
    def backlog(self) -> int:
        """About how many events must be sent before what is new; a snapshot counts as the events
        that it stands for, by their length."""
        window = self.window
        if self._version == window.version:
            return max(0, window.last - self.cursor)
        state = window.state
        return 1 + len(state.items) + len(state.text) // CHARS_PER_EVENT

    def open(self, ref: str | None = None) -> Frame:
        """The `start` event, which says where this viewer begins."""
        window = self.window
        return Frame(
            events.start(window.head, status=window.state.status, after=self.cursor, ref=ref)
        )

    def take(self) -> list[Frame]:
        """The next frames to send, and move the cursor past them; empty when there is no news.

        Starts with a `snapshot` where the cursor can't be honoured: it is before the window, or
        beyond what a running stream has.
        """
        window = self.window
        if self._version != window.version:
            self._version = window.version
            return [Frame(self._snapshot()), *self.take()]
        begin, last = self.cursor, window.last
        behind = last - begin
        if behind <= 0:  # below: the snapshot was ahead of what is read of the log so far
            return []
        self.has_more = behind > TAKE_AT_MOST
        if self.has_more:
            self.cursor += TAKE_AT_MOST
            begin -= window.base
            return merge_chunks(window.frames[begin : begin + TAKE_AT_MOST])
        self.cursor = last
        self.is_done = window.has_ended
        frames = window.frames[-behind:]
        return frames if behind <= MERGE_ABOVE else merge_chunks(frames)

    def _snapshot(self) -> Event:
        state = self.window.state
        # Of an ended stream: the number before its terminal event, which follows at once.
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
    """Join neighbouring chunks of the same path; everything else stays as it is."""

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
            first.seq,
            last.seq,
            token,
            path if isinstance(path, str) else None,
        )
        merged.append(Frame(event))
    return merged
