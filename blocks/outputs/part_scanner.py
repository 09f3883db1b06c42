"""Finds the parts of a JSON object as it arrives, in pieces cut anywhere.

A part is a member of the top-level object, or each element where that member is an array. The
scanner finds where parts begin and end, and keeps the text of the open one alone; what stands in
it is read by `part_value.py`.

It is lenient where models are sloppy: prose or a code fence before the object, anything after it,
a comma before a closing bracket, raw line breaks in strings. A part that can't be read fails alone,
as its brackets still tell where the next one begins; what is broken between parts ends the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from blocks.outputs.part_value import Path, growth, read_begun, read_whole

MAX_PART_BYTES = 16 * 1024  # of JSON text


@dataclass(frozen=True, slots=True)
class ListOpened:
    """The top-level member `key` is an array: its elements are parts."""

    key: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A part begins; exactly one Closed or Failed follows, or the text ends."""

    key: str  # the top-level member
    index: int | None  # the element in it; None: the member itself is the part


@dataclass(frozen=True, slots=True)
class Grown:
    """More of a string within the open part."""

    path: Path  # () where the part itself is the string
    text: str  # never empty


@dataclass(frozen=True, slots=True)
class Closed:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The open part is unreadable; with none open, something that never became one."""


Found = ListOpened | Opened | Grown | Closed | Failed

_BLANKS = " \t\r\n"
_ATOM = re.compile(r'[^ \t\r\n,:\[\]{}"]+')  # a number, true, false, null
_BETWEEN_STRINGS = re.compile(r'[^"\[\]{}]+')
_IN_STRING = re.compile(r'[^"\\]+')
# JSON forbids them raw in strings; models write them.
_CONTROLS = {code: f"\\u{code:04x}" for code in range(1, 32)} | {0: "\ufffd"}

_Expected = Literal["first", "member", "colon", "value", "element", "after value", "after element"]


class PartScanner:
    """One JSON document, fed in pieces."""

    def __init__(self) -> None:
        self.has_object = False  # an object was seen, be it empty
        self.is_over_limit = False  # a part was over MAX_PART_BYTES: nothing more is read
        self._state: Callable[[str, int], int] = self._seek
        self._expected: _Expected = "first"
        self._found: list[Found] = []
        self._members: set[str] = set()
        self._key = ""  # of the member that is arriving
        self._index: int | None = None  # of the element, where the member is an array
        self._is_muted = False  # a member of that name was there before, or its name is unreadable
        self._is_part_open = False
        self._text = bytearray()  # of the open part or key
        self._size = 0  # bytes of it, and of the blanks before it
        self._depth = 0  # brackets open in it
        self._told: Any = None  # what Grown has told of the open part

    def feed(self, text: str) -> list[Found]:
        """What this much more of the document shows.

        Cost: linear in the text; on top of it, one reading of the part that is open at its end.
        """
        at = 0
        while at < len(text):
            at = self._state(text, at)
            if self._size > MAX_PART_BYTES:
                self.is_over_limit = True
                at = self._break(text)
        if self._is_part_open and not self._is_muted:
            with suppress(ValueError):  # nothing can be seen of it
                self._tell(read_begun(bytes(self._text)))
        found, self._found = self._found, []
        return found

    # --- states: each takes what it can from `at` on and says how far it came ---

    def _seek(self, text: str, at: int) -> int:
        brace = text.find("{", at)
        if brace < 0:
            return len(text)
        self._state = self._between
        return brace + 1

    def _between(self, text: str, at: int) -> int:
        """Outside of keys and parts."""
        char = text[at]
        if char in _BLANKS:
            self._size += 1
            return at + 1
        match self._expected, char:
            case "first", "{":
                pass
            case "first", _ if char != '"':  # the brace was prose
                self.has_object = self.has_object or char == "}"
                self._state = self._seek
                return at
            case "first" | "member", '"':
                self.has_object = True
                self._begin()
                return at
            case "colon", ":":
                self._expected = "value"
            case "value", "[":
                self._expected, self._index = "element", 0
                if not self._is_muted:
                    self._found.append(ListOpened(self._key))
            case "value" | "element", _ if char not in ",:]}":
                self._is_part_open, self._told = True, None
                if not self._is_muted:
                    self._found.append(Opened(self._key, self._index))
                self._begin()
                return at
            case "after element", ",":
                self._expected = "element"
            case "element" | "after element", "]":
                self._expected, self._index = "after value", None
            case "after value", ",":
                self._expected = "member"
            case "member" | "after value", "}":
                self._state = self._ignore
            case _:
                return self._break(text)
        return at + 1

    def _within(self, text: str, at: int) -> int:
        """In a part or a key, outside of its strings."""
        if run := (_BETWEEN_STRINGS if self._depth else _ATOM).match(text, at):
            self._take(run.group())
            return run.end()
        if self._text and not self._depth:
            self._end()
            return at
        char = text[at]
        if char in "]}" and (kept := self._text.rstrip()).endswith(b","):
            self._text = kept[:-1]
        self._take(char)
        if char == '"':
            self._state = self._string
        else:
            self._depth += 1 if char in "[{" else -1
            if not self._depth:
                self._end()
        return at + 1

    def _string(self, text: str, at: int) -> int:
        if run := _IN_STRING.match(text, at):
            self._take(run.group().translate(_CONTROLS))
            return run.end()
        self._take(text[at])
        self._state = self._escape if text[at] == "\\" else self._within
        if text[at] == '"' and not self._depth:
            self._end()
        return at + 1

    def _escape(self, text: str, at: int) -> int:
        self._take(text[at])
        self._state = self._string
        return at + 1

    def _ignore(self, text: str, at: int) -> int:
        return len(text)

    # --- transitions ---

    def _begin(self) -> None:
        self._text.clear()
        self._depth = 0
        self._state = self._within

    def _take(self, text: str) -> None:
        data = text.encode(errors="replace")
        self._text += data
        self._size += len(data)

    def _end(self) -> None:
        self._state = self._between
        self._size = 0
        if self._is_part_open:
            self._end_part()
        else:
            self._end_key()

    def _end_key(self) -> None:
        self._expected = "colon"
        self._is_muted = True
        with suppress(ValueError):
            self._key = read_whole(bytes(self._text))
            self._is_muted = self._key in self._members
            self._members.add(self._key)

    def _end_part(self) -> None:
        self._is_part_open = False
        if self._index is None:
            self._expected = "after value"
        else:
            self._expected = "after element"
            self._index += 1
        end: Found = Failed()
        if not self._is_muted:
            with suppress(ValueError):
                value = read_whole(bytes(self._text))
                self._tell(value)
                end = Closed(value)
        self._found.append(end)

    def _tell(self, value: Any) -> None:
        self._found += [Grown(path, text) for path, text in growth(self._told, value)]
        self._told = value

    def _break(self, text: str) -> int:
        self._found.append(Failed())
        self._is_part_open = False
        self._size = 0
        self._state = self._ignore
        return len(text)
