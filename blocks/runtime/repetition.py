"""Finds the loop of a small model: a sentence that comes again and again. Pure.

A sentence of five words or more that comes a third time ends the answer. Code and tables don't
count: they repeat themselves rightly. Neither does verse, but for a line that comes far too often.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

MIN_WORDS = 5
PROSE_TIMES = 3
VERSE_TIMES = 16  # no refrain comes so often
VERSE_WIDTH = 60  # columns; a line of verse is no longer, and stands next to another such line

_ENDS = ".!?…"
_BARE_ENDS = "。！？؟।۔"  # end a sentence without a blank behind them
_CLOSERS = "\"'”’»)]*_`"
_QUOTE = re.compile(r"(?:\s{0,3}>)+ ?")
_MARKER = re.compile(r"\s*(?:[-*+•]|#{1,6}|\(?(?:\d{1,4}|[a-zA-Z])[.):])\s")
_FENCE = re.compile(r"\s*(?P<marks>`{3,}|~{3,})(?P<rest>[^`]*)")
_CODE_INDENT = re.compile(r" {4}|\t| {1,3}\t")
_NO_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_LETTERS_PER_WORD = 2  # in the scripts above


@dataclass
class _Line:
    """A line as far as it has come."""

    chars: list[str] = field(default_factory=list)
    width: int = 0  # columns
    begun: int = 0  # where its open sentence begins
    sentences: list[str] = field(default_factory=list)  # that were not counted yet

    has_bar: bool = False

    @property
    def text(self) -> str:
        return _QUOTE.sub("", "".join(self.chars), count=1)

    @property
    def head(self) -> str:
        """What tells the kind of line: a long one is not looked at again for each sentence."""
        return _QUOTE.sub("", "".join(self.chars[: 2 * VERSE_WIDTH]), count=1)

    @property
    def is_long(self) -> bool:
        return self.width > VERSE_WIDTH

    @property
    def is_code(self) -> bool:
        text = self.head
        return bool(_CODE_INDENT.match(text)) and not _MARKER.match(text)

    @property
    def can_be_verse(self) -> bool:
        text = self.head
        return bool(text.strip()) and not (self.is_long or _MARKER.match(text) or self.is_code)

    @property
    def is_exempt(self) -> bool:
        return self.has_bar or self.is_code or bool(_FENCE.match(self.head))


class Repetition:
    """Follows a text. Where it is cut into tokens changes nothing."""

    def __init__(self) -> None:
        self._fence = ""  # the marks of the open fence
        self._line = _Line()
        self._last = _Line()  # the line above
        self._is_last_open = False  # the line above waits for this one to tell whether it is verse
        self._is_ended = False  # an end mark and perhaps closers were the last characters
        self._prose: Counter[str] = Counter()
        self._verse: Counter[str] = Counter()

    def feed(self, token: str) -> int | None:
        """Return how many characters of the token are to be kept; None if the text goes on."""
        for at, char in enumerate(token):
            if char == "\n":
                if self._end_line():
                    return at
            elif char.isspace():
                if self._is_ended and self._end_sentence():
                    return at
                self._add(char)
            elif self._add(char):
                return at + 1
        return None

    def _add(self, char: str) -> bool:
        line, was_long = self._line, self._line.is_long
        line.chars.append(char)
        line.has_bar = line.has_bar or char == "|"
        line.width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        self._is_ended = char in _ENDS or (self._is_ended and char in _CLOSERS)
        is_loop = False
        if line.is_long and not was_long:
            is_loop = self._decide_last() or self._count_prose(line)
        return (char in _BARE_ENDS and self._end_sentence()) or is_loop

    def _end_sentence(self) -> bool:
        """Note the sentence before this place. A short line counts when it has ended."""
        line = self._line
        line.sentences.append("".join(line.chars[line.begun :]))
        line.begun = len(line.chars)
        self._is_ended = False
        return line.is_long and self._count_prose(line)

    def _end_line(self) -> bool:
        line = self._line
        is_loop = self._end_sentence()
        if self._is_fenced(line):
            line.sentences.clear()
            line = _Line()  # no neighbour of verse
        is_loop = self._decide_last() or is_loop
        self._is_last_open = False
        if not line.is_long and not (line.can_be_verse and not line.is_exempt):
            is_loop = self._count_prose(line) or is_loop
        elif not line.is_long:
            if _are_verse(self._last, line):
                is_loop = self._count(self._verse, line, VERSE_TIMES) or is_loop
            else:
                self._is_last_open = True
        self._last, self._line, self._is_ended = line, _Line(), False
        return is_loop

    def _is_fenced(self, line: _Line) -> bool:
        """Follow the fences of code; return whether the line belongs to one."""
        fence = _FENCE.fullmatch(line.text)
        if not self._fence:
            self._fence = fence["marks"] if fence else ""
            return bool(fence)
        if fence and fence["marks"].startswith(self._fence) and not fence["rest"].strip():
            self._fence = ""
        return True

    def _decide_last(self) -> bool:
        """Count the line above, now that its neighbour is known."""
        if not self._is_last_open:
            return False
        self._is_last_open = False
        if _are_verse(self._last, self._line):
            return self._count(self._verse, self._last, VERSE_TIMES)
        return self._count_prose(self._last)

    def _count_prose(self, line: _Line) -> bool:
        if self._fence or line.is_exempt:
            line.sentences.clear()
        return self._count(self._prose, line, PROSE_TIMES)

    def _count(self, counts: Counter[str], line: _Line, times: int) -> bool:
        keys = [key for sentence in line.sentences if (key := _key(sentence))]
        line.sentences.clear()
        counts.update(keys)
        return any(counts[key] >= times for key in keys)


def _are_verse(line: _Line, neighbour: _Line) -> bool:
    """Whether two lines that follow each other are lines of verse: short and not the same."""
    is_same = line.text.split() == neighbour.text.split()
    return line.can_be_verse and neighbour.can_be_verse and not is_same


def _key(sentence: str) -> str:
    """Return the words of a sentence in one form; '' if they are too few."""
    text = _MARKER.sub("", _QUOTE.sub("", sentence, count=1), count=1)
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = [re.sub(r"^[\W_]+|[\W_]+$", "", word) for word in plain.split()]
    words = [word for word in words if word]
    without_blanks = len(_NO_BLANKS.findall(plain))
    is_enough = len(words) >= MIN_WORDS or without_blanks >= MIN_WORDS * _LETTERS_PER_WORD
    return " ".join(words) if is_enough else ""
