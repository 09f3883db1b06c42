"""Decides which texts a reader would call the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_SUPERSCRIPT = re.compile("[\u00b2\u00b3\u00b9\u2070-\u207f]")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d"
_ENDS = ".,;:?!\u2026\u3002\u3001\u00bf\u00a1\u061f\u060c\u061b\u0964\u037e"
_BULLET = re.compile(r"[-*\u2022\u2013\u2014]\s+")
_WORD = re.compile(r"[^\W_]")
_NAME_IN_CODE = re.compile(r"[a-z][A-Z]|_")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_LITERALS = frozenset({"true", "false", "null", "none", "nil", "undefined"})


def sameness(text: str, *, is_cased: bool = False) -> str:
    """Return a key that is equal for texts that differ only in case, width, blanks or end marks.

    Marks that carry meaning stay: C, C++ and C# differ, -1 and 1, 10² and 102, n and n!, "5" and 5.

    Args:
        is_cased: texts that differ by case alone have different keys.
    """
    # NFKC would make a plain 2 of the exponent.
    powers = _SUPERSCRIPT.sub(lambda found: "^" + found.group(), text)
    plain = " ".join(unicodedata.normalize("NFKC", powers).split())
    if not is_cased:
        plain = plain.casefold()
    return _without_end_marks(plain) or plain or text


def _without_end_marks(text: str) -> str:
    text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    while text:
        last, rest = text[-1], text[:-1].rstrip()
        if last in _ENDS and _WORD.search(rest) and not (last == "!" and _is_factor(rest)):
            text = rest
        elif text[0] in "\u00bf\u00a1":
            text = text[1:].lstrip()
        elif last in _QUOTES and text[0] in _QUOTES and _is_plain(text[1:-1]):
            text = text[1:-1].strip()
        else:
            return text
    return text


def _is_factor(text: str) -> bool:
    """Whether `!` behind the text is the factorial."""
    return bool(text) and (text[-1].isdigit() or text[-1] == ")" or not _LETTERS.search(text))


def _is_plain(text: str) -> bool:
    """Whether quotes around the text are only quotes, not those of a string in code."""
    return bool(_LETTERS.search(text)) and text.casefold() not in _LITERALS


def are_different(texts: Iterable[str], context: str) -> bool:
    """Whether no two of these texts are the same.

    Args:
        context: texts that differ by case alone are different if it holds each of them, or if one
            has a capital or `_` within: maxSize, MAX_SIZE, JavaScript.
    """
    seen: dict[str, list[str]] = {}
    for text in texts:
        seen.setdefault(sameness(text), []).append(text)
    for group in seen.values():
        if len(group) == 1:
            continue
        forms = {sameness(text, is_cased=True) for text in group}
        is_case_the_point = any(map(_NAME_IN_CODE.search, group)) or all(
            text.strip() in context for text in group
        )
        if len(forms) < len(group) or not is_case_the_point:
            return False
    return True
