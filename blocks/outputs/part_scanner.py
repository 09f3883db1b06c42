"""Finds the parts of a JSON object as it arrives, in pieces cut anywhere.

A part is a member of the top-level object, or each element if that member is an array. The scanner
finds where parts begin and end, and keeps only the text of the open part. `part_value.py` parses
that text.

The scanner tolerates common mistakes of models: prose or a code fence before the object, anything
after it, trailing commas, raw line breaks in strings. An unreadable part fails without affecting
others, because its brackets still show where the next one begins. A syntax error between parts ends
the scan.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from blocks.outputs.part_value import Path, growth, read_begun, read_whole

MAX_PART_BYTES = 16 * 1024  # size as JSON text


@dataclass(frozen=True, slots=True)
class ListOpened:
    """The top-level member `key` is an array; its elements are parts."""

    key: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A part begins. Exactly one Closed or Failed follows, unless the text ends first."""

    key: str  # the top-level member
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
    """The open part is unreadable; without an open part, a syntax error between parts."""


Found = ListOpened | Opened | Grown | Closed | Failed

_BLANKS = " \t\r\n"
_ATOM = re.compile(r'[^ \t\r\n,:\[\]{}"]+')  # a number, true, false, null
_BETWEEN_STRINGS = re.compile(r'[^"\[\]{}]+')
_IN_STRING = re.compile(r'[^"\\]+')
# JSON forbids raw control characters in strings, but models write them.
_CONTROLS = {code: f"\\u{code:04x}" for code in range(1, 32)} | {0: "\ufffd"}

_Expected = Literal["first", "member", "colon", "value", "element", "after value", "after element"]


class PartScanner:
    """Scans one JSON document, fed in pieces."""

    def __init__(self) -> None:
        self.has_object = False  # an object was seen, even an empty one
        self.is_over_limit = False  # a part exceeded MAX_PART_BYTES: the scan has stopped
        self._state: Callable[[str, int], int] = self._seek
        self._expected: _Expected = "first"
        self._found: list[Found] = []
        self._members: set[str] = set()
        self._key = ""  # of the current member
        self._index: int | None = None  # of the current element, if the member is an array
        self._is_muted = False  # the member's name is a duplicate or unreadable
        self._is_part_open = False
        self._text = bytearray()  # text of the open part or key
        self._size = 0  # its bytes, including blanks before it
        self._depth = 0  # open brackets in it
        self._told: Any = None  # the open part's value as last reported by Grown

    def feed(self, text: str) -> list[Found]:
        """Return what a further piece of the document reveals.

        Cost: linear in the text, plus one parse of the part that is open at its end.
        """
        at = 0
        while at < len(text):
            at = self._state(text, at)
            if self._size > MAX_PART_BYTES:
                self.is_over_limit = True
                at = self._break(text)
        if self._is_part_open and not self._is_muted:
            with suppress(ValueError):  # nothing readable yet
                self._tell(read_begun(bytes(self._text)))
        found, self._found = self._found, []
        return found

    # --- states: each consumes text from `at` on and returns the new position ---

    def _seek(self, text: str, at: int) -> int:
        brace = text.find("{", at)
        if brace < 0:
            return len(text)
        self._state = self._between
        return brace + 1

    def _between(self, text: str, at: int) -> int:
        """Scan outside of keys and parts."""
        char = text[at]
        if char in _BLANKS:
            self._size += 1
            return at + 1
        match self._expected, char:
            case "first", "{":
                pass
            case "first", _ if char != '"':  # the brace belonged to prose
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
        """Scan a part or a key, outside of its strings."""
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
