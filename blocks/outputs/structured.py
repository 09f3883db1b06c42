"""Shared code of the structured outputs: turns scanned parts into deltas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from blocks.delta import Delta, FinishReason, Item, Text
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.part_scanner import (
    Closed,
    Ended,
    Failed,
    Found,
    Grown,
    ListOpened,
    Opened,
    PartScanner,
    Place,
    outermost,
)
from blocks.outputs.part_value import Path
from blocks.outputs.shown_text import begun_text

LatePart = tuple[str, int | None, Any]
"""A part that was found after its document: member, index and value, as for `accept`."""

_MAX_LEFTOVERS = 100


def pointer(steps: Iterable[str | int]) -> str:
    """Build a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class StructuredAnswer(ABC):
    """One attempt, parsed part by part. A subclass decides where parts go and which are valid.

    `place`, `grown_path` and `accept` take the model's form and return the public form. The paths
    of chunks and items always refer to the public form.

    Args:
        decodes_entities: `&amp;` in the model's strings means `&`.
    """

    def __init__(self, *, decodes_entities: bool = False) -> None:
        self.dropped: Counter[str] = Counter()
        self._decodes_entities = decodes_entities
        self._documents = 0  # that have ended in the current call
        self._restart_scan()

    def _restart_scan(self) -> None:
        self._scanner = PartScanner(self.holds_parts, decodes_entities=self._decodes_entities)
        self._documents = 0
        self._key = ""  # the model's member that contains the open part
        self._index: int | None = None
        self._place: Path | None = None  # path of the open part in the public form; None: ignored
        self._growing: Path = ()  # the public path of the string that grows
        self._begun = ""  # that string so far
        self._told = 0  # how many of its characters were told
        self._leftovers: dict[str, Any] = {}  # what had no place in the current document
        self._waiting: Item | None = None  # a part that the next document may replace

    # --- for the subclass ---

    @abstractmethod
    def next_ask(self) -> Ask | None:
        """As in `Answer`. A subclass with further requests calls `_restart_scan` before each."""

    @abstractmethod
    def place(self, key: str, index: int | None) -> Path | None:
        """Return the public path of a part that opens; None to ignore it."""

    @abstractmethod
    def grown_path(self, place: Path, inner: Path) -> Path | None:
        """Return the public path of a growing string; None hides it until the item."""

    @abstractmethod
    def accept(self, key: str, index: int | None, value: Any) -> Any:
        """Accept a part and return its public form; None if it has no item of its own.

        Raises:
            Dropped: the part is invalid.
        """

    def holds_parts(self, place: Place, name: str) -> bool:
        """Whether an object holds parts, see `HoldsParts`."""
        return outermost(place, name)

    def longest(self, path: Path) -> int | None:
        """Return how many characters the string at a public path may have; None: any number."""
        return None

    def list_opened(self, key: str) -> None:  # noqa: B027  (most outputs need nothing of it)
        """Note that the model's member `key` is an array, possibly empty."""

    def may_be_draft(self, place: Path) -> bool:
        """Whether a part waits for the next one: a draft before the real answer has it too."""
        return False

    def found_within(self, key: str, value: Any) -> Iterable[LatePart]:
        """Return the parts in a member that was no part itself, by member."""
        return ()

    def found_late(self, leftovers: dict[str, Any]) -> Iterable[LatePart]:
        """Return the parts in what a document held beside its parts, by member."""
        return ()

    def end(self) -> Iterable[Delta]:
        """Return the deltas to add when a call ends."""
        return ()

    # --- Answer ---

    def feed(self, token: str) -> list[Delta]:
        return list(self._deltas(self._scanner.feed(token)))

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = list(self._deltas(self._scanner.finish(is_whole=finish_reason == "stop")))
        if self._place is not None:
            deltas.extend(self._void("cut" if finish_reason == "length" else "malformed"))
        if self._waiting is not None:
            deltas.append(self._waiting)
            self._waiting = None
        deltas.extend(self.end())
        return deltas

    @property
    def is_over_limit(self) -> bool:
        return self._scanner.is_over_limit

    @property
    def prose(self) -> str:
        return self._scanner.prose

    # --- parts ---

    def _deltas(self, found: Iterable[Found]) -> Iterator[Delta]:
        for one in found:
            match one:
                case Grown(inner, text):
                    yield from self._grown(inner, text)
                case Opened(key, index):
                    yield from self._opened(key, index)
                case Closed(value) if self._place is not None:
                    yield from self._closed(self._place, value)
                case Closed(value):
                    yield from self._kept(value)
                case Failed():
                    yield from self._void("malformed")
                case ListOpened(key):
                    self.list_opened(key)
                case Ended():
                    yield from self._ended()

    def _opened(self, key: str, index: int | None) -> Iterator[Delta]:
        self._key, self._index = key, index
        self._place = self.place(key, index)
        self._growing = ()
        if self._place is None or self._waiting is None:
            return
        path, waiting = pointer(self._place), self._waiting
        self._waiting = None
        yield Item(path, None) if path == waiting.path else waiting

    def _grown(self, inner: Path, text: str) -> Iterator[Delta]:
        path = None if self._place is None else self.grown_path(self._place, inner)
        if path is None:
            return
        limit = self.longest(path)
        if limit is None:
            yield Text(text, pointer(path))
            return
        if path != self._growing:
            self._growing, self._begun, self._told = path, "", 0
        if len(self._begun) <= limit:  # more can't change what is shown
            self._begun += text
        shown = begun_text(self._begun, limit)
        if len(shown) > self._told:
            yield Text(shown[self._told :], pointer(path))
            self._told = len(shown)

    def _closed(self, place: Path, value: Any) -> Iterator[Delta]:
        try:
            public = self.accept(self._key, self._index, value)
        except Dropped as drop:
            yield from self._void(drop.reason)
            return
        self._place = None
        if self._growing:
            inner = self._growing[len(place) :]
            whole = public if not inner else public.get(inner[0]) if public else None
            if isinstance(whole, str) and len(whole) > self._told:
                yield Text(whole[self._told :], pointer(self._growing))
        if public is None:
            return
        item = Item(pointer(place), public)
        if self.may_be_draft(place):
            self._waiting = item
        else:
            yield item

    def _void(self, reason: str) -> Iterator[Delta]:
        self.dropped[reason] += 1
        place, self._place = self._place, None
        if place is not None:
            yield Item(pointer(place), None)

    def _kept(self, value: Any) -> Iterator[Delta]:
        key, index = self._key, self._index
        parts = [] if index is not None else list(self.found_within(key, value))
        if parts:
            yield from self._late(parts)
        elif len(self._leftovers) < _MAX_LEFTOVERS:
            if index is None:
                self._leftovers[key] = value
                return
            elements = self._leftovers.setdefault(key, [])
            if isinstance(elements, list) and len(elements) < _MAX_LEFTOVERS:
                elements.append(value)

    def _ended(self) -> Iterator[Delta]:
        leftovers, self._leftovers = self._leftovers, {}
        yield from self._late(self.found_late(leftovers))
        self._documents += 1

    def _late(self, parts: Iterable[LatePart]) -> Iterator[Delta]:
        for key, index, value in parts:
            yield from self._opened(key, index)
            if self._place is not None:
                yield from self._closed(self._place, value)
