"""Reads values without quotes: numbers, the words of JSON and of Python, and plain text."""

from __future__ import annotations

import re

Atom = int | float | bool | None

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, Atom] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "None", "NULL", "undefined", ""), None),
    **dict.fromkeys(("NaN", "nan", "Infinity", "-Infinity"), None),
}
_MAX_INTEGER = 2**53 - 1  # the largest integer that JavaScript keeps exact
_MAX_DIGITS = 17  # as many as a longer integer would not be exact


def read_word(word: str) -> Atom | str:
    """Return what a value without quotes means; a text if it means nothing else.

    Raises:
        ValueError: a number that can't be passed on to every client.
    """
    if word in _WORDS:
        return _WORDS[word]
    number = _NUMBER.fullmatch(word)
    if number is None:
        return word
    if number[1] is None and number[2] is None:
        if len(word) > _MAX_DIGITS or abs(int(word)) > _MAX_INTEGER:
            raise ValueError("an integer that is not exact everywhere")
        return int(word)
    if abs(float(word)) == float("inf"):
        raise ValueError("a number out of range")
    return float(word)
