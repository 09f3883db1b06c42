"""Finds the loop of a small model: a sentence that comes again and again. Pure.

A sentence of five words or more that comes a third time ends the answer. Code, tables and equations
don't count: they repeat themselves rightly. Verse, headings and words that only lead to something
("Here is how to do it:") may come more often, but not without end.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

MIN_WORDS = 5
PROSE_TIMES = 3
VERSE_TIMES = 16  # no refrain comes so often
VERSE_WIDTH = 72  # columns; a line of verse is no longer, and stands next to another such line

_ENDS = ".!?…"
_BARE_ENDS = "。！？؟।۔"  # end a sentence without a blank behind them
_CLOSERS = "\"'”’»)]*_`"
_ABBREVIATION = re.compile(
    r"(?:^|\W)(?:Mrs?|Ms|Dr|Prof|St|Mt|Nr|vs|cf|ca|e\.g|i\.e|z\.B|d\.h|[A-Z]\w+ [A-Z])\.$"
)
_ABBREVIATION_WIDTH = 24  # characters in which it is found, with a first name before an initial
_QUOTE = re.compile(r"(?:\s{0,3}>)+ ?")
_MARKER = re.compile(r"\s*(?:[-*+•]|#{1,6}|\(?(?:\d{1,4}|[a-zA-Z])[.):])\s")
_HEADING = re.compile(r"\s{0,3}(?:#{1,6}\s|(\*\*|__)[^*_]+[^*_.!?…。！？]\1\s*$)")  # or a bold line
_FENCE = re.compile(
    rf"(?P<markers>(?:{_MARKER.pattern})*)\s*(?P<marks>`{{3,}}|~{{3,}})(?P<rest>[^`]*)"
)
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
    has_cells: bool = False  # a bar with a blank on each side

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
    def is_exempt(self) -> bool:
        text = self.head
        is_row = self.has_cells or text.lstrip().startswith("|")
        is_equation = text.lstrip().startswith(("$$", "\\[")) and not self.is_long
        return is_row or is_equation or self.is_code or bool(_FENCE.match(text))

    @property
    def is_heading(self) -> bool:
        return bool(_HEADING.match(self.head))

    @property
    def is_blank(self) -> bool:
        return not self.head.strip()

    @property
    def can_be_verse(self) -> bool:
        is_other = self.is_long or self.is_blank or self.is_exempt
        return not (is_other or _MARKER.match(self.head))


class Repetition:
    """Follows a text. Where it is cut into tokens changes nothing.

    Args:
        before: the text that the followed one adds to. Its sentences count.
    """

    def __init__(self, before: str = "") -> None:
        self._fence = ""  # the marks of the open fence
        self._line = _Line()
        self._is_ended = False  # an end mark and perhaps closers were the last characters
        self._run: list[_Line] = []  # equal short lines: what follows tells whether they are verse
        self._is_stanza = False  # another line of verse stands above the run
        self._is_after_verse = False  # the stanza above has two different lines
        self._prose: Counter[str] = Counter()
        self._verse: Counter[str] = Counter()
        for char in before:
            self._take(char)

    def feed(self, token: str) -> int | None:
        """Return how many characters of the token are to be kept; None if the text goes on."""
        for at, char in enumerate(token):
            if self._take(char):
                return at if char.isspace() else at + 1
        return None

    def _take(self, char: str) -> bool:
        """Return whether the text is a loop now."""
        if char == "\n":
            return self._end_line()
        is_end = char.isspace() and self._is_ended and not self._is_abbreviated
        is_loop = is_end and self._end_sentence()
        return self._add(char) or is_loop

    @property
    def _is_abbreviated(self) -> bool:
        return bool(_ABBREVIATION.search("".join(self._line.chars[-_ABBREVIATION_WIDTH:])))

    def _add(self, char: str) -> bool:
        line, was_long = self._line, self._line.is_long
        line.chars.append(char)
        if char.isspace() and line.chars[-2:-1] == ["|"]:
            line.has_cells = line.has_cells or "".join(line.chars[-3:-2]).isspace()
        line.width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        self._is_ended = char in _ENDS or (self._is_ended and char in _CLOSERS)
        is_loop = False
        if line.is_long and not was_long:
            is_loop = self._end_stanza() or self._count(line)
        return (char in _BARE_ENDS and self._end_sentence()) or is_loop

    def _end_sentence(self) -> bool:
        """Note the sentence before this place. A short line counts when it has ended."""
        line = self._line
        line.sentences.append("".join(line.chars[line.begun :]))
        line.begun = len(line.chars)
        self._is_ended = False
        return line.is_long and self._count(line)

    def _end_line(self) -> bool:
        line = self._line
        is_loop = self._end_sentence()
        self._line, self._is_ended = _Line(), False
        if self._is_fenced(line):
            return self._end_stanza() or is_loop
        if line.can_be_verse and not line.is_heading:
            return self._add_to_stanza(line) or is_loop
        if not line.is_long:
            is_loop = self._end_stanza(is_gap=line.is_blank or line.is_heading) or is_loop
        return self._count(line, is_verse=line.is_heading) or is_loop

    def _is_fenced(self, line: _Line) -> bool:
        """Follow the fences of code; return whether the line belongs to one."""
        fence = _FENCE.fullmatch(line.text)
        if not self._fence:
            self._fence = fence["marks"] if fence else ""
            return bool(fence)
        is_bare = fence is not None and not (fence["markers"] or fence["rest"].strip())
        if fence and is_bare and fence["marks"].startswith(self._fence):
            self._fence = ""
        return True

    # --- verse ---

    def _add_to_stanza(self, line: _Line) -> bool:
        if self._run and self._run[0].text.split() == line.text.split():
            self._run.append(line)
            is_loop = len(self._run) > PROSE_TIMES and self._count_run(is_verse=False)
            del self._run[:-PROSE_TIMES]  # what was counted is not counted again
            return is_loop
        is_loop = False
        if self._run:
            self._is_stanza = True
            is_loop = self._count_run(is_verse=True)
        self._run = [line]
        return is_loop

    def _end_stanza(self, *, is_gap: bool = False) -> bool:
        """Count the lines that wait: verse, if another one is above or the stanza before is verse.

        Args:
            is_gap: what ends it may stand between two stanzas.
        """
        if not self._run:
            self._is_after_verse = is_gap and self._is_after_verse
            return False
        is_loop = self._count_run(is_verse=self._is_stanza or (is_gap and self._is_after_verse))
        self._is_after_verse = is_gap and self._is_stanza
        self._run, self._is_stanza = [], False
        return is_loop

    def _count_run(self, *, is_verse: bool) -> bool:
        lines = self._run[:1] if is_verse else self._run  # in a chorus equal lines are one refrain
        found = [self._count(line, is_verse=is_verse) for line in lines]
        return any(found)

    # --- counting ---

    def _count(self, line: _Line, *, is_verse: bool = False) -> bool:
        """Count the new sentences of a line; return whether one came too often."""
        sentences, line.sentences = line.sentences, []
        is_in_fence = bool(self._fence) and line is self._line
        if is_in_fence or line.is_exempt:
            return False
        is_loop = False
        for sentence in sentences:
            if key := _key(sentence):
                is_prose = not (is_verse or _leads_to_more(sentence))
                counts = self._prose if is_prose else self._verse
                counts[key] += 1
                is_loop = counts[key] >= (PROSE_TIMES if is_prose else VERSE_TIMES) or is_loop
        return is_loop


def _leads_to_more(sentence: str) -> bool:
    """Whether it introduces what follows, and is no statement: "These are the steps:"."""
    return sentence.rstrip().rstrip(_CLOSERS).endswith((":", "："))


def _key(sentence: str) -> str:
    """Return the words of a sentence in one form; '' if they are too few."""
    text = _MARKER.sub("", _QUOTE.sub("", sentence, count=1), count=1)
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = [re.sub(r"^[\W_]+|[\W_]+$", "", word) for word in plain.split()]
    words = [word for word in words if word]
    without_blanks = len(_NO_BLANKS.findall(plain))
    is_enough = len(words) >= MIN_WORDS or without_blanks >= MIN_WORDS * _LETTERS_PER_WORD
    return " ".join(words) if is_enough else ""
