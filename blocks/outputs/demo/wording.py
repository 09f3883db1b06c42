"""What both forms of the demo model need: titles, words, and texts that end too early."""

from __future__ import annotations

import re

from blocks.outputs.judge import is_words
from blocks.outputs.sameness import sameness
from blocks.outputs.shown_text import fit

TITLE_LENGTH = 60  # characters

MOST_WORDS, LONGEST_WORD = 6, 19  # of a short text; the grammars allow no more of them

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_UNFINISHED = frozenset(
    "a an the of to in is are by with and that it or for from on at as its their into your".split()
)
_ARTICLES = frozenset(("a", "an", "th"))  # without the "e" that a stem loses
_PLAIN = re.compile(r"(?:[\w\s'’.,?!]|(?<=\w)-(?=\w))*")
_STUTTER = re.compile(r"\b([^\W\d_]{2,})\W+\1\b|([^\W\d_]{5,})\2")
_RUN = 4  # words on end that make a copy


def title_of(prompt: str, default: str) -> str:
    """Return the prompt as a title; the default if it can't be one."""
    title = fit(" ".join(prompt.split()), TITLE_LENGTH)
    return title if title and is_words(title) else default


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without its marks."""
    return _WORD.findall(text.casefold())


def is_label(text: str) -> bool:
    """Whether a short text has a word, and none twice on end: "Train train", "mouthmouth"."""
    has_word = re.search(r"[^\W\d_]{2}|[^\W\d_\x00-\x7f]", text) is not None
    return has_word and not is_stutter(text)


def is_stutter(text: str) -> bool:
    """Whether a word comes twice on end, or is the same piece twice."""
    return _STUTTER.search(text.casefold()) is not None


def wording_key(text: str) -> str:
    """Return a key that is equal for texts of the same words in any order, number or article.

    A small model varies a text in no other way: "Volcano", "A volcano", "Volcanoes". Where other
    marks count, as in C and C++, the key is that of `sameness`.
    """
    if not _PLAIN.fullmatch(text):
        return sameness(text)
    stems = {word.removesuffix("s").removesuffix("e") for word in words_of(text)}
    return " ".join(sorted(stems - _ARTICLES)) or sameness(text)


def is_cut(text: str) -> bool:
    """Whether a short text lacks its end: "The Battle of", or what the grammar cut."""
    words = text.split()
    is_full = len(words) >= MOST_WORDS or any(len(word) >= LONGEST_WORD for word in words)
    return is_full or _is_unfinished(text)


def _is_unfinished(text: str) -> bool:
    words = words_of(text)
    return bool(words) and words[-1] in _UNFINISHED


def without_unfinished(text: str) -> str:
    """Cut the words off that need another one."""
    text = text.strip()
    while _is_unfinished(text):
        text = text.rpartition(" ")[0].rstrip()
    return text


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Return every four words on end of a text."""
    words = words_of(text)
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}
