"""Finds the parts of a JSON document as it arrives, in pieces cut anywhere.

A part is a member of the outermost object, or each element if that member is an array. Models also
send the parts in other ways: in an array without an object, in an object within an object, or one
after the other. The scanner follows them wherever `HoldsParts` allows it.

`loose_json.py` reads the text, and `part_value.py` builds the value of the open part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from blocks.outputs.loose_json import LooseJson
from blocks.outputs.loose_words import Atom
from blocks.outputs.part_value import PartValue, Path

_FENCE = re.compile(r"[\s\ufeff]*(?:```\w*)?[\s\ufeff\"]*\Z")
MAX_PART_BYTES = 16 * 1024  # of its names, strings and values
_MAX_LEVELS = 4  # of objects and arrays around the parts


@dataclass(frozen=True, slots=True)
class ListOpened:
    """The member `key` is an array; its elements are parts."""

    key: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A part begins. Exactly one Closed or Failed follows, unless the text ends first."""

    key: str  # the member that is the part or holds it; '' if it has none
    index: int | None  # position of the element; None: the member itself is the part


@dataclass(frozen=True, slots=True)
class Grown:
    """New text of a string within the open part."""

    path: Path  # () if the part itself is the string
    text: str  # never empty


@dataclass(frozen=True, slots=True)
class Closed:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The open part is unreadable; without an open part, the rest of the document is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The document, or a document in the outermost array, has ended; another one may follow."""


Found = ListOpened | Opened | Grown | Closed | Failed | Ended

Place = Literal["document", "element", "member"]
HoldsParts = Callable[[Place, str], bool]
"""Whether an object holds parts and is not one itself.

It is the document, an element of the outermost array, or a member of an object that holds parts.
The text is the name of its first member.
"""


def outermost(place: Place, name: str) -> bool:
    """Allow parts in the outermost object alone, also if it is the element of an array."""
    return place != "member"


@dataclass(slots=True)
class _Level:
    """An object or array that holds parts."""

    is_object: bool
    key: str = ""  # the current member; of an array: the member that it is
    index: int = 0  # of the current element
    names: set[str] = field(default_factory=set)
    is_muted: bool = False  # the member's name came before


class _OverLimit(Exception):
    pass


class PartScanner:
    """Scans a text for documents, fed in pieces."""

    def __init__(
        self, holds_parts: HoldsParts = outermost, *, decodes_entities: bool = False
    ) -> None:
        self.has_object = False  # an object was seen, even an empty one
        self.is_over_limit = False  # a part exceeded MAX_PART_BYTES: the scan has stopped
        self._holds_parts = holds_parts
        self._json = LooseJson(self, decodes_entities=decodes_entities)
        self._found: list[Found] = []
        self._levels: list[_Level] = []
        self._is_undecided = False  # an object has begun; its first member decides what it is
        self._part: PartValue | None = None
        self._size = 0  # of the open part

    @property
    def prose(self) -> str:
        """The text before the first document and its fence, at most 2,000 characters."""
        return _FENCE.sub("", self._json.prose)

    def feed(self, text: str) -> list[Found]:
        """Return what a further piece of the text reveals.

        Cost: linear in the text; the open part is not read again.
        """
        return self._taken(lambda: self._json.feed(text))

    def finish(self, *, is_whole: bool) -> list[Found]:
        """Return what the end of the text reveals.

        Args:
            is_whole: the model ended it, so brackets that are still open were forgotten.
        """
        return self._taken(lambda: self._json.finish(is_whole=is_whole))

    def _taken(self, read: Callable[[], None]) -> list[Found]:
        if self.is_over_limit:
            return []
        try:
            read()
        except _OverLimit:
            self.is_over_limit = True
            self._part = None
            self._found.append(Failed())
        found, self._found = self._found, []
        return found

    # --- what the reader tells ---

    def begin(self, bracket: Literal["{", "["]) -> None:
        level = self._levels[-1] if self._levels else None
        if self._part is not None:
            self._grow(1)
            self._part.begin(bracket)
        elif bracket == "{":
            self._is_undecided = True
        elif level is None or level.is_object:
            key, is_muted = (level.key, level.is_muted) if level else ("", False)
            self._levels.append(_Level(False, key, is_muted=is_muted))
            if level and not is_muted:
                self._found.append(ListOpened(key))
        else:
            self._open_part().begin(bracket)

    def name(self, name: str) -> None:
        if self._is_undecided:
            self._is_undecided = False
            if self._is_level(name):
                self.has_object = True
                self._levels.append(_Level(True))
            else:
                self._open_part().begin("{")
        if self._part is not None:
            self._grow(len(name.encode()) + 1)
            self._part.name(name)
        else:
            level = self._levels[-1]
            level.key, level.is_muted = name, name in level.names
            level.names.add(name)

    def end(self) -> None:
        if self._is_undecided:  # an empty object
            self._is_undecided = False
            if not self._levels:
                self.has_object = True
                self._found.append(Ended())
                return
            self._open_part().begin("{")
        if self._part is not None:
            self._part.end()
            self._close_part()
            return
        self._levels.pop()
        level = self._levels[-1] if self._levels else None
        if level:
            level.index += 1
        if level is None or (not level.is_object and not level.key):
            self._found.append(Ended())

    def text(self, piece: str) -> None:
        part = self._part or self._open_part()
        self._grow(len(piece) if piece.isascii() else len(piece.encode()))
        path = part.text(piece)
        if path is None or self._is_muted:
            return
        last = self._found[-1] if self._found else None
        if isinstance(last, Grown) and last.path == path:
            self._found[-1] = Grown(path, last.text + piece)
        else:
            self._found.append(Grown(path, piece))

    def text_end(self) -> None:
        (self._part or self._open_part()).text_end()
        self._close_part()

    def atom(self, value: Atom) -> None:
        part = self._part or self._open_part()
        self._grow(1)
        part.atom(value)
        self._close_part()

    def unusable(self) -> None:
        (self._part or self._open_part()).unusable()
        self._close_part()

    def broken(self) -> None:
        self._found += [Failed(), Ended()]
        self._part = None
        self._is_undecided = False
        self._levels.clear()

    # --- parts ---

    @property
    def _is_muted(self) -> bool:
        return bool(self._levels) and self._levels[-1].is_muted

    def _is_level(self, name: str) -> bool:
        if not self._levels:
            return self._holds_parts("document", name)
        level = self._levels[-1]
        if len(self._levels) == _MAX_LEVELS or level.is_muted:
            return False
        if level.is_object:
            return self._holds_parts("member", name)
        return not level.key and self._holds_parts("element", name)

    def _open_part(self) -> PartValue:
        self._part, self._size = PartValue(), 0
        if not self._levels:
            self._found.append(Opened("", None))
        elif not self._is_muted:
            level = self._levels[-1]
            self._found.append(Opened(level.key, None if level.is_object else level.index))
        return self._part

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_PART_BYTES:
            raise _OverLimit

    def _close_part(self) -> None:
        part = self._part
        if part is None or not part.is_whole:
            return
        self._part = None
        is_good = part.is_usable and not self._is_muted
        self._found.append(Closed(part.value) if is_good else Failed())
        if self._levels:
            self._levels[-1].index += 1
        else:
            self._found.append(Ended())


def read_values(text: str) -> list[Any]:
    """Return the objects in a text, and the elements of its arrays; [] beyond MAX_PART_BYTES."""
    scanner = PartScanner(lambda place, name: False)
    found = scanner.feed(text) + scanner.finish(is_whole=True)
    return [] if scanner.is_over_limit else [one.value for one in found if isinstance(one, Closed)]
