"""Consecutive events of a stream in little memory: neighbouring chunks are kept as one text. Pure.

A chunk as an `Event` takes 350 bytes. The newest chunks are kept as strings. Packed ones take
little more than their characters.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, overload

import msgspec

from . import events
from .events import Event
from .weight import weight_of

BLOCK = 256
"""How many chunks are packed at a time: few enough to take no noticeable time."""

RUN_BYTES = 200
"""What a run takes beside its text and its ends: its struct, two headers, its number. Measured."""


class _Run(msgspec.Struct, frozen=True, gc=False):
    """Neighbouring chunks of one path."""

    path: str | None
    text: bytes  # UTF-8; a lone surrogate of the text is encoded like any other character
    ends: array[int]  # where each chunk ends in `text`, in bytes

    @property
    def weight(self) -> int:
        """Bytes that it takes."""
        return RUN_BYTES + len(self.text) + len(self.ends) * self.ends.itemsize

    def __len__(self) -> int:
        return len(self.ends)

    def cut(self, begin: int, end: int) -> str:
        """Return the text of the chunks from `begin` to before `end`, counted in the run."""
        start = self.ends[begin - 1] if begin else 0
        return self.text[start : self.ends[end - 1]].decode("utf-8", "surrogatepass")

    def tokens(self, begin: int, end: int) -> Iterator[str]:
        """Yield the texts of those chunks."""
        bounds = pairwise([self.ends[begin - 1] if begin else 0, *self.ends[begin:end]])
        for start, stop in bounds:
            yield self.text[start:stop].decode("utf-8", "surrogatepass")


class _OpenRun:
    """The newest chunks of one path, not packed yet."""

    __slots__ = ("newest", "path")

    def __init__(self, path: str | None, newest: list[str]) -> None:
        self.path = path
        self.newest = newest

    def __len__(self) -> int:
        return len(self.newest)

    def cut(self, begin: int, end: int) -> str:
        return "".join(self.newest[begin:end])

    def tokens(self, begin: int, end: int) -> list[str]:
        return self.newest[begin:end]

    def packed(self) -> _Run:
        tokens = self.newest
        joined = "".join(tokens)
        text = joined.encode("utf-8", "surrogatepass")
        # In ASCII, the usual case, each character is one byte.
        lengths = map(len, tokens if len(text) == len(joined) else map(_encode, tokens))
        return _Run(self.path, text, array("H" if len(text) < 65_536 else "I", accumulate(lengths)))


_Part = _Run | _OpenRun | Event
_EMPTY: list[Any] = []  # shared by all that hold no events; nothing is appended to it


class PackedEvents:
    """The events of one stream from number `first` on. Grows at its end.

    Each event comes out as it went in. The newest chunks are packed when there are `BLOCK` of one
    path, or when another event follows.
    """

    __slots__ = ("_firsts", "_open", "_parts", "_stream_id", "first", "last", "weight")

    def __init__(self, stream_id: str, *, first: int = 0) -> None:
        self._stream_id = stream_id
        self._firsts: list[int] = _EMPTY  # seq of the first event of each part
        self._parts: list[_Part] = _EMPTY
        self._open: _OpenRun | None = None  # the last part, if that can grow
        self.first = first
        self.last = first - 1
        """Seq of the newest event; `first` - 1 if there is none."""
        self.weight = 0
        """Bytes that the packed events take, accurate to about 15 %."""

    def copy(self, *, upto: int) -> PackedEvents:
        """Return a twin of the events up to that seq, which grows on its own.

        It shares what no longer changes.
        """
        twin, view = (
            PackedEvents(self._stream_id, first=self.first),
            PackedView(self, self.first - 1),
        )
        view.last = upto
        twin.extend_packed(view)
        return twin

    def add_like_last(self, seq: int, token: str, path: str | None) -> bool:
        """Append a chunk if it has the next number and the path of the chunk before it.

        Such a chunk is always legal (see `Order`). Returns False if nothing was appended.
        """
        run = self._open
        if run is None or path != run.path or seq != self.last + 1:
            return False
        newest = run.newest
        newest.append(token)
        self.last = seq
        if len(newest) == BLOCK:
            self.pack()
        return True

    def append_text(self, token: str, path: str | None = None) -> None:
        """Append the next chunk."""
        run = self._open
        if run is None or run.path != path:
            self.pack()
            run = self._open = _OpenRun(path, [])
            self._put(run)
        newest = run.newest
        newest.append(token)
        self.last += 1
        if len(newest) == BLOCK:
            self.pack()

    def append(self, event: Event) -> None:
        """Append the next event, whose seq is `last` + 1."""
        if event.type == "chunk":
            fields = event.fields
            return self.append_text(fields["token"], fields.get("path"))
        self.pack()
        self._add(event, 1, weight_of(event))

    def extend(self, added: Iterable[Event]) -> None:
        """Append the next events."""
        for event in added:
            self.append(event)

    def extend_packed(self, view: PackedView) -> None:
        """Add the events of a view, which continue at `last` + 1, without unpacking them."""
        for part, _, begin, end in view.packed._portions(view.after, view.last):
            if isinstance(part, Event):
                self.append(part)
            elif isinstance(part, _Run) and end - begin == len(part):
                self.pack()
                self._add(part, end - begin, part.weight)
            else:
                for token in part.tokens(begin, end):
                    self.append_text(token, part.path)

    def pack(self) -> None:
        """Pack the newest chunks; further ones begin a new run."""
        if self._open is not None:
            self._parts[-1] = run = self._open.packed()
            self.weight += run.weight
            self._open = None

    def _put(self, part: _Part) -> None:
        if not self._parts:
            self._firsts, self._parts = [], []
        self._firsts.append(self.last + 1)
        self._parts.append(part)

    def _add(self, part: _Run | Event, count: int, weight: int) -> None:
        self._put(part)
        self.last += count
        self.weight += weight

    @property
    def is_open(self) -> bool:
        """Whether the newest event is a chunk that is not packed yet."""
        return self._open is not None

    @property
    def end(self) -> Event | None:
        """The terminal event, if it is there."""
        newest = self._parts[-1] if self._parts else None
        return newest if isinstance(newest, Event) and newest.is_terminal else None

    def newest_texts(self, after: int, last: int) -> list[str] | None:
        """Return the texts above `after` up to `last`, if these are the newest events, and all of
        them chunks without a path that are not packed yet, as most are; None otherwise."""
        run = self._open
        if run is None or run.path is not None or last != self.last:
            return None
        newest = run.newest
        count = last - after
        return newest[-count:] if 0 < count <= len(newest) else None

    def events(self, after: int) -> list[Event]:
        """Return the events with a seq above `after`, each as it was."""
        found: list[Event] = []
        for part, seq, begin, end in self._portions(after, self.last):
            if isinstance(part, Event):
                found.append(part)
            else:
                found += self._cut(part, seq, begin, end)
        return found

    def _cut(self, run: _Run | _OpenRun, seq: int, begin: int, end: int) -> list[Event]:
        """Return the chunks of a run from `begin` to before `end`, the first of which has `seq`."""
        return [
            events.chunk(self._stream_id, number, token, run.path)
            for number, token in enumerate(run.tokens(begin, end), seq)
        ]

    def merged(self, after: int, last: int) -> list[Event]:
        """Return the events above `after` up to `last`. Chunks of one run come as one event."""
        found: list[Event] = []
        for part, seq, begin, end in self._portions(after, last):
            if isinstance(part, Event):
                found.append(part)
            elif end - begin == 1:
                found.append(events.chunk(self._stream_id, seq, part.cut(begin, end), part.path))
            else:
                newest, text = seq + end - begin - 1, part.cut(begin, end)
                found.append(events.merged_chunk(self._stream_id, seq, newest, text, part.path))
        return found

    def _portions(self, after: int, last: int) -> Iterator[tuple[_Part, int, int, int]]:
        """Yield each part in that range, with its seq there, and begin and end in the part."""
        seq = max(after + 1, self.first)
        last = min(last, self.last)
        at = bisect_right(self._firsts, seq) - 1
        while seq <= last:
            first, part = self._firsts[at], self._parts[at]
            count = 1 if isinstance(part, Event) else len(part)
            end = min(last + 1 - first, count)
            yield part, seq, seq - first, end
            at += 1
            seq = first + count


class PackedView(Sequence[Event]):
    """The events above `after` up to the newest one of now, as a sequence.

    `Window.extend` takes them in as they are.
    """

    __slots__ = ("after", "last", "packed")

    def __init__(self, packed: PackedEvents, after: int) -> None:
        self.packed = packed
        self.after = after
        self.last = packed.last

    def __len__(self) -> int:
        return self.last - self.after

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> list[Event]: ...
    def __getitem__(self, at: int | slice) -> Event | list[Event]:
        return list(self)[at]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.packed.events(self.after)[: len(self)])


def _encode(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")
