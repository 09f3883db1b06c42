"""Reads a JSON object as it arrives, in pieces cut anywhere, part by part.

A part is a member of the top-level object, or each element where that member is an array. The
scanner is a pushdown machine over characters: it keeps the values of the open part alone, never
looks at a character twice (but for an escape that a cut has split), does not recurse, and so costs
the same per character at any length and depth.

It is lenient where models are sloppy: prose or a code fence before the object, anything after it,
a comma too many, raw line breaks in strings. What JSON allows and we can't pass on (unpaired
surrogates, NUL) becomes U+FFFD; a part with a member twice, nested too deep or with a number that
is not exact everywhere is unreadable. Broken syntax ends the reading: there is no telling where
the next part would begin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_PART_BYTES = 16 * 1024  # of JSON text
MAX_PART_DEPTH = 32  # levels

Path = tuple[str | int, ...]


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

_SPACE = " \t\r\n"
_SKIP = re.compile(r"[ \t\r\n]+")
_RUN = re.compile(r'[^"\\]+')
_ATOM = re.compile(r'[^ \t\r\n,:\[\]{}"]*')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_MAX_INTEGER = 2**53 - 1  # the largest that JavaScript keeps exact
_MORE = -1  # a state's answer: what is left is half a character; wait for more


class _Frame:
    """An open object or array."""

    __slots__ = ("key", "value")

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        self.key: str | int = 0 if isinstance(value, list) else ""  # of the child that is arriving


class PartScanner:
    """One JSON document, fed in pieces."""

    def __init__(self) -> None:
        self.has_object = False  # an object was seen, be it empty
        self.is_over_limit = False  # a part was over MAX_PART_BYTES: nothing more is read
        self._state: Callable[[str, int], int] = self._seek
        self._found: list[Found] = []
        self._tail = ""  # half an escape, at most 11 characters
        self._stack: list[_Frame] = []
        self._members: set[str] = set()
        self._base = 0  # stack height at which the open part stands; 0: none is open
        self._bytes = 0  # of the open part, or since the last one
        self._bad = False  # the open part is readable as syntax, but not usable
        self._muted = False  # it belongs to a member that was there before
        self._is_key = False
        self._pieces: list[str] = []  # of the open string or atom
        self._sent = 0  # how many of them are in Grown already
        self._path: Path | None = None  # of the open string, if it grows

    def feed(self, text: str) -> list[Found]:
        """What this much more of the document shows."""
        text = self._tail + text
        self._tail = ""
        at = 0
        while at < len(text):
            after = self._state(text, at)
            if after == _MORE:
                self._tail = text[at:]
                break
            if self._stack:
                self._count(text[at:after])
            at = after if not self.is_over_limit else len(text)
        self._grow()
        found, self._found = self._found, []
        return found

    def _count(self, text: str) -> None:
        self._bytes += len(text) if text.isascii() else len(text.encode(errors="replace"))
        if self._bytes > MAX_PART_BYTES:
            self.is_over_limit = True
            self._break("")

    # --- states: each takes what it can from `at` on and says how far it came ---

    def _seek(self, text: str, at: int) -> int:
        brace = text.find("{", at)
        if brace < 0:
            return len(text)
        self._state = self._first
        return brace + 1

    def _first(self, text: str, at: int) -> int:
        """After a brace that may be prose: only a quote makes it an object."""
        char = text[at]
        if char in _SPACE:
            return self._skip(text, at)
        if char == "{":
            return at + 1
        if char == '"':
            self.has_object = True
            self._stack.append(_Frame({}))
            self._state = self._member
        else:
            self.has_object = self.has_object or char == "}"
            self._state = self._seek
        return at

    def _member(self, text: str, at: int) -> int:
        if text[at] in _SPACE:
            return self._skip(text, at)
        if text[at] == '"':
            self._begin_string(is_key=True)
            return at + 1
        return self._end_container(text, at)

    def _colon(self, text: str, at: int) -> int:
        if text[at] in _SPACE:
            return self._skip(text, at)
        if text[at] != ":":
            return self._break(text)
        self._state = self._value
        return at + 1

    def _value(self, text: str, at: int) -> int:
        char = text[at]
        if char in _SPACE:
            return self._skip(text, at)
        if char == "]":
            return self._end_container(text, at)
        if char in ",:}":
            return self._break(text)
        if char == "[" and not self._base and len(self._stack) == 1:
            self._begin_member_list()
            return at + 1
        self._begin_part()
        if char == '"':
            self._begin_string(is_key=False)
            return at + 1
        if char in "[{":
            self._stack.append(_Frame([] if char == "[" else {}))
            self._bad = self._bad or len(self._stack) - self._base > MAX_PART_DEPTH
            self._state = self._value if char == "[" else self._member
            return at + 1
        self._pieces = []
        self._state = self._atom
        return at

    def _comma(self, text: str, at: int) -> int:
        if text[at] in _SPACE:
            return self._skip(text, at)
        if text[at] != ",":
            return self._end_container(text, at)
        frame = self._stack[-1]
        self._state = self._member if isinstance(frame.value, dict) else self._value
        return at + 1

    def _atom(self, text: str, at: int) -> int:
        match = _ATOM.match(text, at)
        assert match is not None  # it matches nothing, too
        self._pieces.append(match.group())
        if match.end() == len(text):
            return match.end()
        word = "".join(self._pieces)
        if word in _CONSTANTS:
            self._end_value(_CONSTANTS[word])
        elif number := _NUMBER.fullmatch(word):
            self._end_value(self._number(word, is_integer=not (number[1] or number[2])))
        else:
            return self._break(text)
        return match.end()

    def _string(self, text: str, at: int) -> int:
        char = text[at]
        if char == '"':
            self._grow()
            whole = "".join(self._pieces)
            if self._is_key:
                self._end_key(whole)
            else:
                self._end_value(whole)
            return at + 1
        if char == "\\":
            return self._escape(text, at)
        match = _RUN.match(text, at)
        assert match is not None
        self._pieces.append(match.group().replace("\0", "\ufffd"))
        return match.end()

    def _escape(self, text: str, at: int) -> int:
        kind = text[at + 1 : at + 2]
        if kind != "u":
            if not kind:
                return _MORE
            if kind not in _ESCAPES:
                return self._break(text)
            self._pieces.append(_ESCAPES[kind])
            return at + 2
        digits = text[at + 2 : at + 6]
        if len(digits) < 4:
            return _MORE
        if not _HEX.fullmatch(digits):
            return self._break(text)
        code, after = int(digits, 16), at + 6
        if 0xD800 <= code < 0xDC00:
            half = text[after : after + 6]
            if len(half) < 6 and "\\u".startswith(half[:2]):
                return _MORE
            low = int(half[2:], 16) if half[:2] == "\\u" and _HEX.fullmatch(half[2:]) else 0
            if 0xDC00 <= low < 0xE000:
                code, after = 0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00, after + 6
        usable = code and not 0xD800 <= code < 0xE000
        self._pieces.append(chr(code) if usable else "\ufffd")
        return after

    def _ignore(self, text: str, at: int) -> int:
        return len(text)

    # --- transitions ---

    @staticmethod
    def _skip(text: str, at: int) -> int:
        match = _SKIP.match(text, at)
        assert match is not None
        return match.end()

    def _begin_member_list(self) -> None:
        frame = self._stack[0]
        if not self._muted:
            self._found.append(ListOpened(str(frame.key)))
        self._stack.append(_Frame([]))
        self._state = self._value

    def _begin_part(self) -> None:
        if self._base:
            return
        self._base = len(self._stack)
        self._bad = False
        if not self._muted:
            index = self._stack[1].key if len(self._stack) == 2 else None
            assert not isinstance(index, str)
            self._found.append(Opened(str(self._stack[0].key), index))

    def _begin_string(self, *, is_key: bool) -> None:
        self._is_key = is_key
        self._pieces = []
        self._sent = 0
        shown = not (is_key or self._bad or self._muted)
        self._path = tuple(f.key for f in self._stack[self._base :]) if shown else None
        self._state = self._string

    def _grow(self) -> None:
        if self._path is None or self._state != self._string or self._is_key:
            return
        if fresh := "".join(self._pieces[self._sent :]):
            self._found.append(Grown(self._path, fresh))
        self._sent = len(self._pieces)

    def _end_key(self, key: str) -> None:
        frame = self._stack[-1]
        frame.key = key
        if len(self._stack) == 1:
            self._bytes = 0
            self._muted = key in self._members
            self._members.add(key)
        elif key in frame.value:
            self._bad = True
        self._state = self._colon

    def _end_value(self, value: Any) -> None:
        self._state = self._comma
        frame = self._stack[-1]
        is_part = len(self._stack) == self._base
        if is_part:
            usable = not (self._bad or self._muted)
            self._found.append(Closed(value) if usable else Failed())
            self._base = self._bytes = 0
        elif isinstance(frame.value, dict):
            frame.value[str(frame.key)] = value
        else:
            frame.value.append(value)
        if isinstance(frame.key, int):
            frame.key += 1

    def _end_container(self, text: str, at: int) -> int:
        frame = self._stack[-1]
        if text[at] != ("}" if isinstance(frame.value, dict) else "]"):
            return self._break(text)
        self._stack.pop()
        if not self._stack:
            self._state = self._ignore
        elif self._base:
            self._end_value(frame.value)
        else:  # a member that is a list of parts
            self._state = self._comma
        return at + 1

    def _number(self, word: str, *, is_integer: bool) -> int | float:
        # Python refuses to read integers of thousands of digits; 17 are out of range already.
        if is_integer and len(word) <= 17 and abs(int(word)) <= _MAX_INTEGER:
            return int(word)
        if is_integer or not math.isfinite(float(word)):
            self._bad = True
            return 0
        return float(word)

    def _break(self, text: str) -> int:
        self._found.append(Failed())
        self._base = 0
        self._stack.clear()
        self._state = self._ignore
        return len(text)
