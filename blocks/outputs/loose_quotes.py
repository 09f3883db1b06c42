"""Decides which quote ends a string, and whether a bracket in prose begins JSON.

A quote ends a string if JSON goes on behind it. Otherwise it is a quote within the text that the
model forgot to escape. Every function returns None if more text decides.
"""

from __future__ import annotations

import re

CLOSERS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "\u201c": '\u201d\u201c"',
    "\u201e": '\u201c\u201d"',
    "\u2018": "\u2019'",
    "\u00ab": "\u00bb",
    "\u300c": "\u300d",
}
"""The quotes that can begin a string, and those that can then end it."""

COLONS = ":\uff1a"  # also those of Chinese keyboards
COMMAS = ",;\uff0c\uff1b"

_GAP = re.compile(
    r"(?:[\s\ufeff\u200b]+|//[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*(?:\*/|$)|#[^\n]*(?:\n|$)"
    r"|\u2026|\.\.\.|(?:/|\.|\.\.)$)*"
)
_BARE_NAME = re.compile(r"[^\W\d][\w$-]{0,63}")
_LITERAL = re.compile(r"(?:true|false|null|None|True|False|NaN)\b")
_NAME_CHARS = 200  # a longer name does not show that a string has ended


def skip_gap(text: str, at: int) -> int:
    """Return the position behind blanks, comments and ellipses, also behind the begin of one."""
    found = _GAP.match(text, at)
    return found.end() if found else at


def ends_string(
    text: str, at: int, *, in_object: bool, is_outermost: bool, has_bare_names: bool
) -> bool | None:
    """Whether the quote before `at` ends its string.

    Args:
        in_object: the string is a member of an object, not an element of an array.
        is_outermost: the object or array is the document itself.
        has_bare_names: the document has names without quotes.
    """
    mark = skip_gap(text, at)
    if mark == len(text):
        return None
    char = text[mark]
    if char in "]}":
        return True if is_outermost else _goes_on(text, mark + 1, has_bare_names)
    if char in COMMAS:
        then = mark
        while then < len(text) and text[then] in COMMAS:
            then = skip_gap(text, then + 1)
        if then == len(text):
            return None
        if text[then] in "]}":
            return True
        if in_object:
            return begins_member(text, then, bare=has_bare_names)
        return _begins_element(text, then)
    if in_object:
        return begins_member(text, mark, bare=has_bare_names and mark > at)
    if "\n" in text[at:mark]:
        return _begins_element(text, mark)
    return char in CLOSERS and mark > at


def _goes_on(text: str, at: int, has_bare_names: bool) -> bool | None:
    """Whether the text behind a closing bracket goes on as JSON does."""
    then = skip_gap(text, at)
    if then == len(text):
        return None
    if text[then] in COMMAS or text[then] in "]}{" or text.startswith("```", then):
        return True
    if text[then] in CLOSERS and "\n" in text[at:then]:
        return True
    return begins_member(text, then, bare=has_bare_names)


def _begins_element(text: str, at: int) -> bool | None:
    if text[at] in "{[-" or text[at] in CLOSERS or text[at].isdigit():
        return True
    if len(text) - at < len("false "):
        return None
    return _LITERAL.match(text, at) is not None


def begins_member(text: str, at: int, *, bare: bool) -> bool | None:
    """Whether a name and a colon follow.

    Args:
        bare: the name may have no quotes.
    """
    char = text[at]
    if char in CLOSERS:
        end = at + 1
        while end < len(text) and text[end] not in CLOSERS[char]:
            if text[end] == "\n" or end - at > _NAME_CHARS:
                return False
            end += 2 if text[end] == "\\" else 1
        end += 1
    elif bare and (found := _BARE_NAME.match(text, at)):
        end = found.end()
    else:
        return False
    end = skip_gap(text, end) if end < len(text) else end
    return None if end >= len(text) else text[end] in COLONS


def begins_document(text: str, at: int) -> bool | None:
    """Whether the bracket at `at`, which stands in prose, begins JSON."""
    then = skip_gap(text, at + 1)
    if then == len(text):
        return None
    if text[at] == "{":
        return text[then] == "}" or begins_member(text, then, bare=True)
    if text[then] == "{":
        return begins_document(text, then)
    if text[then] not in CLOSERS:
        return False
    closers = CLOSERS[text[then]]
    most = min(len(text), then + _NAME_CHARS)
    end = next((i for i in range(then + 1, most) if text[i] in closers), most)
    if end == then + _NAME_CHARS:
        return False
    after = skip_gap(text, end + 1) if end + 1 < len(text) else len(text)
    if after == len(text):
        return None
    return text[after] in ",]\uff0c"
