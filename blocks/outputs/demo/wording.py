"""What both forms of the demo model need: titles, words, and texts that end too early."""

from __future__ import annotations

import re

from blocks.outputs.judge import is_words
from blocks.outputs.shown_text import fit

TITLE_LENGTH = 60  # characters

LONGEST_WORD = 19  # characters; the grammars allow no longer ones

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_UNFINISHED = frozenset(
    "a an the of to in is are by with and that it or for from on at as its their into your".split()
)
_RUN = 4  # words on end that make a copy


def title_of(prompt: str, default: str) -> str:
    """Return the prompt as a title; the default if it can't be one."""
    title = fit(" ".join(prompt.split()), TITLE_LENGTH)
    return title if title and is_words(title) else default


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without its marks."""
    return _WORD.findall(text.casefold())


def is_cut(text: str) -> bool:
    """Whether a short text lacks its end: "The Battle of", or a word that the grammar cut."""
    return _is_unfinished(text) or any(len(word) >= LONGEST_WORD for word in text.split())


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
