"""Fits texts into their lengths without cutting a word."""

from __future__ import annotations

import re

_ROOM = 1.5

# Scripts that write words without blanks: Thai, Lao, Khmer, Myanmar, Chinese, Japanese, Korean.
_NO_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]"
)
_MARK = re.compile(r"[\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u200d\ufe0f]")


def asked_length(limit: int) -> int:
    """Return the length to ask a model for.

    A model that is held to a length stops in the middle of a word. It gets more room than is shown,
    so what it cuts is cut off.
    """
    return int(limit * _ROOM)


def fit(text: str, limit: int) -> str | None:
    """Return a text of at most `limit` characters and "…"; None if it has no place for a cut."""
    if len(text) <= limit:
        return text
    cut = _last_blank(text, limit)
    if cut is None and _NO_BLANKS.match(text[limit - 1]):
        cut = limit - 1
        while cut > limit // 2 and _MARK.match(text[cut]):
            cut -= 1
    return None if cut is None else _head(text, cut, limit) + "…"


def begun_text(text: str, limit: int) -> str:
    """Return as much of the beginning of a text as `fit` will keep, whatever follows."""
    if len(text) <= limit // 2:
        return text
    cut = _last_blank(text, limit)
    return text[: limit // 2] if cut is None else _head(text, cut, limit)


def _head(text: str, cut: int, limit: int) -> str:
    """Return the text before a cut without its last blanks; the first half was shown with them."""
    return text[: max(limit // 2, len(text[:cut].rstrip()))]


def _last_blank(text: str, limit: int) -> int | None:
    """Return the position of the last blank in the second half that leaves room for "…"."""
    for at in range(min(limit, len(text)) - 1, limit // 2, -1):
        if text[at].isspace():
            return at
    return None
