"""Reads the JSON in a model's text as it arrives, in pieces cut anywhere.

Models write prose and fences around JSON, comments, other quotes, Python's words, unescaped quotes;
they forget commas and brackets. This reader finds out what is meant and tells a `Builder` about it.
What it has told stays true. Text that is valid JSON is read as every other reader reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, Protocol

from blocks.outputs.escaped_json import EscapedJson, begins_escaped
from blocks.outputs.loose_quotes import CLOSERS, COLONS, COMMAS, begins_document, ends_string
from blocks.outputs.loose_string import LooseString
from blocks.outputs.loose_words import Atom, read_word

MAX_PROSE = 2_000  # characters
_MAX_HELD = 4_096  # characters that may wait for the text that decides about them

Bracket = Literal["{", "["]


class Builder(Protocol):
    """Receives what the reader finds. Each `begin` has its `end`, unless `broken` comes."""

    def begin(self, bracket: Bracket) -> None: ...

    def end(self) -> None: ...

    def name(self, name: str) -> None:
        """Name the member of an object whose value follows."""

    def text(self, piece: str) -> None:
        """Add to a string; `text_end` follows. Never empty."""

    def text_end(self) -> None: ...

    def atom(self, value: Atom) -> None: ...

    def unusable(self) -> None:
        """Take a number that can't be passed on, in the place of a value."""

    def broken(self) -> None:
        """Abandon the open document: the text does not go on as JSON."""


_OPENING = re.compile(r"[{\[]")
_BLANKS = re.compile(r"[\s\ufeff\u200b]+")
_HASH_COMMENT = re.compile(r"(?:^|\s)#")
_BARE = re.compile(r'[^,\[\]{}"\n/\\]+')
_BARE_NAME = re.compile(r"[\w$-]+")

_Expected = Literal["name", "colon", "value", "next"]


class LooseJson:
    """Reads documents from one text, fed in pieces.

    Args:
        decodes_entities: `&amp;` in a string means `&`.
    """

    def __init__(self, builder: Builder, *, decodes_entities: bool = False) -> None:
        self.prose = ""  # the text before the first document, at most MAX_PROSE characters
        self.has_begun = False  # a document has begun
        self._builder = builder
        self._last = ""  # the last character of prose
        self._decodes_entities = decodes_entities
        self._text = ""  # what is not read yet
        self._at = 0
        self._waits = False  # for more text
        self._is_last = False  # no more text follows
        self._escaped: EscapedJson | None = None  # the document came as a JSON text
        self._state: Callable[[], None] = self._seek
        self._open: list[Bracket] = []
        self._expected: _Expected = "value"
        self._has_bare_names = False
        self._name: str | None = None  # the name that is open
        self._bare = ""  # the value without quotes that is open
        self._string: LooseString | None = None  # the string that is open

    def feed(self, text: str) -> None:
        """Read a further piece.

        Cost: linear in the text, plus at most 4,096 characters that wait for a decision.
        """
        self._text += self._unescaped(text)
        self._run()
        if len(self._text) > _MAX_HELD and self._state != self._seek:
            self._run(is_last=True)

    def finish(self, *, is_whole: bool) -> None:
        """End the text.

        Args:
            is_whole: the model ended it, so brackets that are still open were forgotten.
        """
        if is_whole or self._state != self._read_bare:
            self._run(is_last=True)
        if self._state == self._read_bare and is_whole:
            self._end_bare()
        if is_whole and self._state == self._between and self._expected in ("next", "name"):
            while self._open:
                self._pop()

    def _run(self, *, is_last: bool = False) -> None:
        self._is_last, self._waits = is_last, False
        while self._at < len(self._text) and not self._waits:
            self._state()
        self._text, self._at = self._text[self._at :], 0
        self._is_last = False

    # --- prose ---

    def _seek(self) -> None:
        found = _OPENING.search(self._text, self._at)
        self._skip_prose(found.start() if found else len(self._text))
        if found is None:
            return
        is_escaped = begins_escaped(self._text, self._at)
        # `a["b"]` is code, or a node of Mermaid.
        is_code = self._text[self._at] == "[" and (self._last.isalnum() or self._last == "_")
        is_document = not is_code and begins_document(self._text, self._at)
        is_open = None in (is_escaped, is_document) and is_escaped is not True
        if is_open and not self._is_last and len(self._text) - self._at <= _MAX_HELD:
            self._waits = True
        elif is_escaped:
            self._escaped = EscapedJson()
            self._text, self._at = self._unescaped(self._text[self._at :]), 0
        elif is_document:
            self.has_begun, self._has_bare_names = True, False
            self._state = self._between
            self._push()
        else:
            self._skip_prose(self._at + 1)

    def _skip_prose(self, end: int) -> None:
        if not self.has_begun:
            self.prose += self._text[self._at : end][: MAX_PROSE - len(self.prose)]
        self._last = self._text[end - 1 : end] or self._last
        self._at = end

    def _unescaped(self, text: str) -> str:
        if self._escaped is None:
            return text
        text = self._escaped.feed(text)
        if self._escaped.is_over:
            self._escaped = None
        return text

    # --- between strings ---

    def _between(self) -> None:
        text, at = self._text, self._at
        if found := _BLANKS.match(text, at):
            self._at = found.end()
            return
        char = text[at]
        if char in "/.":
            self._skip_aside(char)
            return
        if char == "#":
            self._state = self._line_comment
        elif char == "\u2026":  # "and so on"
            self._at += 1
        elif char in "]}":
            self._close(char)
        elif char in COMMAS:
            self._comma()
        else:
            if self._expected == "next":  # a comma was forgotten
                self._expected = "name" if self._open[-1] == "{" else "value"
            {"name": self._begin_name, "colon": self._colon}.get(
                self._expected, self._begin_value
            )()

    def _skip_aside(self, char: str) -> None:
        """Skip a comment or an ellipsis."""
        begun = self._text[self._at : self._at + 3]
        if begun == "...":
            self._at += 3
        elif begun[:2] == "//":
            self._state = self._line_comment
        elif begun[:2] == "/*":
            self._state = self._block_comment
        elif len(begun) < 3 and begun in ("/", ".", "..") and not self._is_last:
            self._waits = True
        elif self._expected == "value":
            self._begin_value()
        else:
            self._break()

    def _line_comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end
        if end >= 0:
            self._state = self._between

    def _block_comment(self) -> None:
        end = self._text.find("*/", self._at)
        if end >= 0:
            self._at, self._state = end + 2, self._between
        elif self._is_last:
            self._at = len(self._text)
        else:  # the last character may be half of the end
            self._at = max(self._at, len(self._text) - 1)
            self._waits = True

    def _comma(self) -> None:
        self._at += 1
        if self._open[-1] == "[":
            self._expected = "value"
        elif self._expected == "colon":
            self._break()
        else:
            if self._expected == "value":
                self._builder.atom(None)
            self._expected = "name"

    def _colon(self) -> None:
        if self._text[self._at] not in COLONS:
            self._break()
            return
        self._at += 1
        self._expected = "value"

    def _begin_name(self) -> None:
        char = self._text[self._at]
        if char in CLOSERS:
            self._name = ""
            self._begin_string(char)
        elif found := _BARE_NAME.match(self._text, self._at):
            if found.end() == len(self._text) and not self._is_last:
                self._waits = True
                return
            self._has_bare_names = True
            self._at = found.end()
            self._named(found.group())
        elif char == "{" and self._open[-2:-1] == ["["]:  # the bracket before it was forgotten
            self._pop()
        else:
            self._break()

    def _named(self, name: str) -> None:
        self._builder.name(name)
        self._expected = "colon"

    def _begin_value(self) -> None:
        char = self._text[self._at]
        if char in CLOSERS:
            self._begin_string(char)
        elif char in "{[":
            self._push()
        elif char in COLONS or char == ")":
            self._break()
        else:
            self._state = self._read_bare

    # --- brackets ---

    def _push(self) -> None:
        bracket: Bracket = "{" if self._text[self._at] == "{" else "["
        self._at += 1
        self._open.append(bracket)
        self._expected = "name" if bracket == "{" else "value"
        self._builder.begin(bracket)

    def _close(self, char: str) -> None:
        opening: Bracket = "{" if char == "}" else "["
        if self._open[-1] != opening and self._is_stray(opening):
            return
        if self._open[-1] == "{" and self._expected == "colon":
            self._break()
            return
        self._at += 1
        while self._open[-1] != opening:  # a bracket was forgotten
            self._pop()
        self._pop()

    def _is_stray(self, opening: Bracket) -> bool:
        """Skip a bracket that closes nothing; True if it was skipped, or more text decides."""
        if opening in self._open[1:]:
            return False
        if opening in self._open:  # it would close the document: then nothing goes on behind it
            blank = _BLANKS.match(self._text, self._at + 1)
            then = blank.end() if blank else self._at + 1
            if then == len(self._text) and not self._is_last:
                self._waits = True
                return True
            if self._text[then : then + 1] not in (",", "\uff0c"):
                return False
        self._at += 1
        return True

    def _pop(self) -> None:
        if self._open.pop() == "{" and self._expected == "value":
            self._builder.atom(None)
        self._expected = "next"
        if not self._open:
            self._state = self._seek
        self._builder.end()

    def _break(self) -> None:
        self._open.clear()
        self._name, self._bare, self._string = None, "", None
        self._state = self._seek
        self._builder.broken()

    # --- values without quotes ---

    def _read_bare(self) -> None:
        text, at = self._text, self._at
        if found := _BARE.match(text, at):
            self._bare = (self._bare + found.group())[:_MAX_HELD]
            self._at = found.end()
            return
        if text[at] in "/\\" and text[at : at + 2] not in ("//", "/*"):
            if at + 1 == len(text) and not self._is_last:
                self._waits = True
                return
            self._bare += text[at]
            self._at += 1
            return
        self._end_bare()

    def _end_bare(self) -> None:
        word, self._bare = _HASH_COMMENT.split(self._bare)[0].strip(), ""
        self._state, self._expected = self._between, "next"
        try:
            value = read_word(word)
        except ValueError:
            self._builder.unusable()
            return
        if isinstance(value, str):
            self._builder.text(value.replace("\0", "\ufffd"))
            self._builder.text_end()
        else:
            self._builder.atom(value)

    # --- strings ---

    def _begin_string(self, quote: str) -> None:
        self._at += 1
        self._string = LooseString(
            quote,
            ends=self._ends_string if self._name is None else None,
            decodes_entities=self._decodes_entities,
        )
        self._state = self._read_string

    def _ends_string(self, text: str, at: int) -> bool | None:
        return ends_string(
            text,
            at,
            in_object=self._open[-1] == "{",
            is_outermost=len(self._open) == 1,
            has_bare_names=self._has_bare_names,
        )

    def _read_string(self) -> None:
        string = self._string
        if string is None:
            return
        piece, at = string.read(self._text, self._at, is_last=self._is_last)
        self._waits = at == self._at
        self._at = at
        if string.is_over:
            self._end_string()
        elif piece and self._name is None:
            self._builder.text(piece)
        elif self._name is not None:
            self._name += piece
            if len(self._name) > _MAX_HELD:
                self._break()

    def _end_string(self) -> None:
        self._string, self._state = None, self._between
        if self._name is not None:
            name, self._name = self._name, None
            self._named(name)
        else:
            self._expected = "next"
            self._builder.text_end()
