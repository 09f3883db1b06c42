"""Joins a continuation to the text before it: nothing twice, and the right blanks between them.

A model that continues a text by itself knows where it ends. Only a repetition of the whole text is
cut off; any other is meant, like the next line of a table or a refrain. Any other model is asked to
begin with the last words of the text (`continuing.py`): they show where it goes on, even in
mid-word, and are cut off. If it repeats none of them, the words around the seam tell whether the
last one is complete.
"""

from __future__ import annotations

import re
from functools import cached_property

from blocks.runtime.small_words import SMALL_WORDS

MAX_REPETITION = 20_000
"""The longest repetition that is found, in characters."""

_TAIL = 80  # characters of the text that an asked model repeats, at most
_ASKED_WORDS, _OTHER_WORDS = 2, 4  # fewer words may be repeated by chance
_BARE = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"  # of scripts without blanks between words
_LAST_WORD = re.compile(rf"[^\W_{_BARE}]+\Z")
_WORD = re.compile(rf"[^\W_{_BARE}]+")
_LEADING = re.compile(r"\s*(?:(?:…|\.\.\.)\s*)?[\"“„«]?")  # before words that a model repeats
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,})(?=\s*\w)")
_FRAGMENT_LETTERS = 5  # a shorter unknown word may be complete
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


class Seam:
    """Takes a continuation as it arrives; returns it as it is to be appended to the text.

    Args:
        text: the text that is continued.
        prompt: what it answers: a source of complete words.
        is_asked: the model was asked to continue, and does not do so by itself.

    Holds back the first words until they can't be a repetition of the text. The cost of a token is
    linear in the text while words are held back, and constant afterwards.
    """

    def __init__(self, text: str, prompt: str, *, is_asked: bool) -> None:
        self._text = text
        self._body = text.rstrip()
        self._tail = tail_of(text)
        self._prompt = prompt
        self._is_asked = is_asked
        self._held = ""
        self._is_decided = False

    def feed(self, token: str) -> str:
        """Return the text that this token adds; possibly "", or more than the token."""
        if self._is_decided:
            return token
        self._held += token
        if len(self._held) <= MAX_REPETITION and self._is_undecided():
            return ""
        return self.close()

    def close(self) -> str:
        """Return the text that is held back. Call it when the model has ended."""
        self._is_decided = True
        held, self._held = self._held, ""
        rest = self._after_repetition(held)
        if rest is None:
            rest = self._with_blank(held) if self._is_asked else held
        return self._without_doubled_blank(rest)

    def _is_undecided(self) -> bool:
        words = self._held[self._leading(self._held) :]
        # Blanks after a repetition wait for the word after them, a word for its end.
        if not self._is_asked:
            return self._text.startswith(words.rstrip())
        if words.startswith(self._tail):
            return not words[len(self._tail) :].strip()
        return _WORD.fullmatch(words) is not None or words.rstrip() in self._body

    def _leading(self, reply: str) -> int:
        """Return how many characters before its first word don't count for a repetition."""
        blanks = len(reply) - len(reply.lstrip())
        if not self._is_asked or self._tail.startswith(reply[blanks : blanks + 1]):
            return blanks
        found = _LEADING.match(reply)
        return found.end() if found else 0

    # --- repetitions ---

    def _after_repetition(self, reply: str) -> str | None:
        """Return what follows the end of the text, if the reply surely begins with that end."""
        if not self._is_asked:
            return self._after_whole_text(reply)
        words = reply[self._leading(reply) :]
        if words.startswith(self._tail):
            return words[len(self._tail) :]  # more of a text that repeats itself is new
        for length in range(min(len(words), len(self._body), MAX_REPETITION), 0, -1):
            if self._body.endswith(words[:length]):
                is_sure = self._is_sure(words[:length], words[length : length + 1])
                return words[length:] if is_sure else None
        return None

    def _after_whole_text(self, reply: str) -> str | None:
        text = self._text
        may_say_it_again = text != self._body or text in f"{text}{text}"[1:-1]
        is_repeated = reply.startswith(text) and _word_count(text) >= _OTHER_WORDS
        return reply[len(text) :] if is_repeated and not may_say_it_again else None

    def _is_sure(self, repeated: str, following: str) -> bool:
        before = self._body[: -len(repeated)][-1:]
        if before.isalnum() and repeated[0].isalnum() and not _is_bare(before):
            return False  # it begins in the middle of a word
        words = _word_count(repeated)
        if words >= _ASKED_WORDS:
            return True
        is_completed = following.isalnum() and self._ends_in_fragment
        return words > 0 and (not before or is_completed)

    # --- blanks ---

    def _with_blank(self, reply: str) -> str:
        """Add the blank that a model which was asked leaves out before a new word."""
        reply = _ELLIPSIS.sub("", reply, count=1)
        if not reply or reply[0].isspace() or self._text != self._body or self._is_code:
            return reply
        last, first = self._text[-1:], reply[0]
        if _is_bare(last) or _is_bare(first) or not first.isalpha():
            is_new = False
        elif last in ".…":
            is_new = first.isupper()
        elif last in ",;:!?)”»" or (last.islower() and first.isupper()):
            is_new = True
        else:
            is_new = self._is_complete_before(reply)
        return f" {reply}" if is_new else reply

    def _without_doubled_blank(self, rest: str) -> str:
        """Remove the blanks that end the text and begin the rest, too."""
        before = self._text[len(self._body) :]
        blank = rest[: len(rest) - len(rest.lstrip())]
        if not self._is_asked and ("\n" in before + blank or self._is_code):
            return rest  # lines and indents are exact where a model continues by itself
        doubled = max(n for n in range(len(blank) + 1) if before.endswith(blank[:n]))
        return rest[doubled:]

    # --- words ---

    @cached_property
    def _last_word(self) -> str:
        found = _LAST_WORD.search(self._body[-100:])
        return found.group().casefold() if found else ""

    @cached_property
    def _words(self) -> frozenset[str]:
        """The complete words of the prompt and the text, whose last one may be cut."""
        known = _LAST_WORD.sub("", self._body)
        return frozenset(word.casefold() for word in _WORD.findall(f"{self._prompt}\n{known}"))

    def _is_complete_before(self, reply: str) -> bool:
        """Whether the last word of the text is complete, and the reply begins with a new one."""
        last = self._last_word
        found = _WORD.match(reply)
        first = found.group().casefold() if found else ""
        if last + first in self._words:
            return False
        return first in SMALL_WORDS or last in SMALL_WORDS or last in self._words

    @property
    def _ends_in_fragment(self) -> bool:
        return len(self._last_word) >= _FRAGMENT_LETTERS and self._last_word not in self._words

    @property
    def _is_code(self) -> bool:
        return len(_FENCE.findall(self._text)) % 2 == 1


def tail_of(text: str) -> str:
    """Return the last words of a text, which an asked model repeats, from the beginning of one."""
    body = text.rstrip()
    tail = body[-_TAIL:]
    if len(tail) < len(body) and not body[-_TAIL - 1].isspace():
        whole = tail.split(maxsplit=1)
        tail = whole[1] if len(whole) > 1 else tail
    return tail.lstrip()


def _word_count(text: str) -> int:
    """Count the words; two characters of a script without blanks are one."""
    bare = len(re.findall(f"[{_BARE}]", text))
    others = re.sub(f"[{_BARE}]", " ", text).split()
    return (bare + 1) // 2 + sum(any(map(str.isalnum, word)) for word in others)


def _is_bare(character: str) -> bool:
    return re.fullmatch(f"[{_BARE}]", character) is not None
