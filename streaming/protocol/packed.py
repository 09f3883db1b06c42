"""Consecutive events of a stream in little memory: neighbouring chunks are kept as one text. Pure.

A chunk as an `Event` takes 350 bytes. Packed it takes its own text and two bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import overload

import msgspec

from . import events
from .events import Event
from .weight import weight_of

BLOCK = 256
"""How many events are packed at a time: few enough to take no noticeable time."""

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

    def cut(self, begin: int, end: int) -> str:
        """Return the text of the chunks from `begin` to before `end`, counted in the run."""
        start = self.ends[begin - 1] if begin else 0
        return self.text[start : self.ends[end - 1]].decode("utf-8", "surrogatepass")


class PackedEvents:
    """The events of one stream from number `first` on. Grows at its end, in any portions.

    Each event comes out as it went in.
    """

    __slots__ = ("_firsts", "_parts", "_stream_id", "first", "last", "weight")

    def __init__(self, stream_id: str, *, first: int = 0) -> None:
        self._stream_id = stream_id
        self._firsts: list[int] = []  # seq of the first event of each part
        self._parts: list[_Run | Event] = []
        self.first = first
        self.last = first - 1
        """Seq of the newest packed event; `first` - 1 if there is none."""
        self.weight = 0
        """Bytes that the events take, accurate to about 15 %."""

    def extend(self, added: Sequence[Event]) -> None:
        """Pack the next events, whose seq continues at `last` + 1. Linear in their number."""
        tokens: list[str] = []
        path: str | None = None
        for event in added:
            if event.type == "chunk":
                fields = event.fields
                own_path = fields.get("path")
                if own_path != path and tokens:
                    self._add_run(path, tokens)
                    tokens = []
                path = own_path
                tokens.append(fields["token"])
                continue
            if tokens:
                self._add_run(path, tokens)
                tokens = []
            self._add(event, 1, weight_of(event))
        if tokens:
            self._add_run(path, tokens)

    def extend_packed(self, view: PackedView) -> None:
        """Add the events of a view, which continue at `last` + 1, without unpacking them."""
        for part, seq, begin, end in view.packed._portions(view.after, view.packed.last):
            if isinstance(part, Event):
                self._add(part, 1, weight_of(part))
            elif end - begin == len(part.ends):
                self._add(part, end - begin, part.weight)
            else:
                self.extend(self._cut(part, seq, begin, end))

    def _add_run(self, path: str | None, tokens: list[str]) -> None:
        joined = "".join(tokens)
        text = joined.encode("utf-8", "surrogatepass")
        # In ASCII, the usual case, each character is one byte.
        lengths = map(len, tokens if len(text) == len(joined) else map(_encode, tokens))
        ends = array("H" if len(text) < 65_536 else "I", accumulate(lengths))
        run = _Run(path, text, ends)
        self._add(run, len(tokens), run.weight)

    def _add(self, part: _Run | Event, count: int, weight: int) -> None:
        self._firsts.append(self.last + 1)
        self._parts.append(part)
        self.last += count
        self.weight += weight

    @property
    def has_ended(self) -> bool:
        """Whether the newest packed event is a terminal one."""
        newest = self._parts[-1] if self._parts else None
        return isinstance(newest, Event) and newest.is_terminal

    def events(self, after: int) -> list[Event]:
        """Return the events with a seq above `after`, each as it was."""
        found: list[Event] = []
        for part, seq, begin, end in self._portions(after, self.last):
            if isinstance(part, Event):
                found.append(part)
            else:
                found += self._cut(part, seq, begin, end)
        return found

    def _cut(self, run: _Run, seq: int, begin: int, end: int) -> list[Event]:
        """Return the chunks of a run from `begin` to before `end`, the first of which has `seq`."""
        bounds = pairwise([run.ends[begin - 1] if begin else 0, *run.ends[begin:end]])
        return [
            events.chunk(
                self._stream_id,
                number,
                run.text[start:stop].decode("utf-8", "surrogatepass"),
                run.path,
            )
            for number, (start, stop) in enumerate(bounds, seq)
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

    def _portions(self, after: int, last: int) -> Iterator[tuple[_Run | Event, int, int, int]]:
        """Yield each part in that range, with its seq there, and begin and end in the part."""
        seq = max(after + 1, self.first)
        last = min(last, self.last)
        at = bisect_right(self._firsts, seq) - 1
        while seq <= last:
            first, part = self._firsts[at], self._parts[at]
            count = 1 if isinstance(part, Event) else len(part.ends)
            end = min(last + 1 - first, count)
            yield part, seq, seq - first, end
            at += 1
            seq = first + count


class PackedView(Sequence[Event]):
    """The packed events above `after`, as a sequence. `Window.extend` takes them in as they are."""

    __slots__ = ("after", "packed")

    def __init__(self, packed: PackedEvents, after: int) -> None:
        self.packed = packed
        self.after = after

    def __len__(self) -> int:
        return self.packed.last - self.after

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> list[Event]: ...
    def __getitem__(self, at: int | slice) -> Event | list[Event]:
        return self.packed.events(self.after)[at]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.packed.events(self.after))


def _encode(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")
