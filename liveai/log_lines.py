"""Texts of log lines: without query strings and keys, of bounded length, unforgeable by clients.

A query string may contain a prompt, and the link in an email holds a key that works. Paths and
headers come from clients, so all processing takes linear time.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

MAX_LINE_BYTES = 4096
MAX_RECORD_CHARS = 65_536
"""Limit of a message or a traceback; beyond it, the middle is omitted."""

_WORD = re.compile(r"\S+")
# All control characters except tab; some readers treat the last two as line ends.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

_KEY_IN_PATH = re.compile(
    r"(/account/(?:password/reset/key|confirm-email|invitation)/).+", re.IGNORECASE
)
"""The links of emails; deploy/nginx/liveai.conf lists them, too. A client may have decoded one, or
typed it: the key ends where the line does."""

_STANDARD = logging.Formatter()

CHAINED_AT_MOST = 8
WITHHELD = "[text withheld]"
"""Stands for the text of an exception that may quote a prompt, an answer or a row."""


def without_queries(text: str) -> str:
    """Remove query strings: `GET /ask?prompt=Why 200` → `GET /ask 200`."""
    return _WORD.sub(_cut_query, text) if "?" in text else text


def _cut_query(word: re.Match[str]) -> str:
    text = word.group()
    slash = text.find("/")
    mark = text.find("?", slash) if slash >= 0 else -1
    return text[:mark] if 0 <= mark < len(text) - 1 else text


def without_keys(text: str) -> str:
    """Cut the links of emails: `Not Found: /account/invitation/KEY/` → `…/account/invitation/…`."""
    return _KEY_IN_PATH.sub(r"\1…", text)


def bounded_line(line: str, *, max_bytes: int = MAX_LINE_BYTES) -> str:
    """Truncate a longer line and mark it with an ellipsis."""
    if len(line) * 4 <= max_bytes or len(encoded := line.encode(errors="replace")) <= max_bytes:
        return line
    return encoded[: max_bytes - 3].decode(errors="ignore") + "…"


def one_line(message: str) -> str:
    """Return a message without query strings and keys, with its control characters escaped."""
    return _public(_CONTROLS.sub(_escape, message))


def traceback_of(exc_info: Any, *, has_texts: bool = True) -> str:
    """Format an exception and what led to it, as `indented` does.

    Args:
        has_texts: whether the exceptions' own texts are part of it, and not only kinds and places.
    """
    error = exc_info[1]
    if has_texts or error is None:
        return indented(_STANDARD.formatException(exc_info))
    parts = [_places(each) for each in reversed(list(_chain(error)))]
    return indented("\n".join(parts))


def name_of(error: BaseException) -> str:
    """Return the full name of an exception's class: `ValueError`, `django.db.utils.DataError`."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, what caused it, what caused that, and so on."""
    for _ in range(CHAINED_AT_MOST):
        if error is None:
            return
        yield error
        # Python sets the second for `raise … from …`, so at most one of them counts.
        error = error.__cause__ if error.__suppress_context__ else error.__context__


def _places(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    name = name_of(error)
    if isinstance(error, BaseExceptionGroup):
        name += f" of {', '.join(map(name_of, error.exceptions[:CHAINED_AT_MOST]))}"
    return f"Traceback (most recent call last):\n{frames}{name}: {WITHHELD}"


def indented(text: str) -> str:
    """Indent all lines but the first, so that client text in them can't pass for a record.

    Each line is bounded, and has no query strings, keys and control characters.
    """
    lines = _public(text).split("\n")
    return "\n".join(
        bounded_line("  " + _CONTROLS.sub(_escape, line) if number else line)
        for number, line in enumerate(lines)
    )


def _public(text: str) -> str:
    # Keys first: what is cut in the middle could lose the words that a key is known by.
    return without_queries(_shortened(without_keys(text)))


def _shortened(text: str) -> str:
    if len(text) <= MAX_RECORD_CHARS:
        return text
    half = MAX_RECORD_CHARS // 2
    return f"{text[:half]} … {text[-half:]}"


def _escape(control: re.Match[str]) -> str:
    return control.group().encode("unicode_escape").decode()
