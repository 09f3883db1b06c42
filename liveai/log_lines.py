"""Formats log lines: without query strings, of bounded length, and unforgeable by clients.

A query string may contain a prompt. Paths and headers come from clients, so all processing takes
linear time.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from daphne.access import AccessLogGenerator

MAX_LINE_BYTES = 4096
MAX_RECORD_CHARS = 65_536
"""Limit of a message or a traceback; beyond it, the middle is omitted."""

_WORD = re.compile(r"\S+")
# All control characters except tab; some readers treat the last two as line ends.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def without_queries(text: str) -> str:
    """Remove query strings: `GET /ask?prompt=Why 200` → `GET /ask 200`."""
    return _WORD.sub(_cut_query, text) if "?" in text else text


def _cut_query(word: re.Match[str]) -> str:
    text = word.group()
    slash = text.find("/")
    mark = text.find("?", slash) if slash >= 0 else -1
    return text[:mark] if 0 <= mark < len(text) - 1 else text


def bounded_line(line: str, *, max_bytes: int = MAX_LINE_BYTES) -> str:
    """Truncate a longer line and mark it with an ellipsis."""
    if len(line) * 4 <= max_bytes or len(encoded := line.encode(errors="replace")) <= max_bytes:
        return line
    return encoded[: max_bytes - 3].decode(errors="ignore") + "…"


class LineFormatter(logging.Formatter):
    """Formats every record of the process, including Django's and Daphne's, with tracebacks.

    A message is one line: control characters are escaped. Lines of a traceback are indented, so
    that client text in them can't pass for a record.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _CONTROLS.sub(_escape, without_queries(_shortened(record.message)))
        return bounded_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


def _shortened(text: str) -> str:
    if len(text) <= MAX_RECORD_CHARS:
        return text
    half = MAX_RECORD_CHARS // 2
    return f"{text[:half]} … {text[-half:]}"


def _escape(control: re.Match[str]) -> str:
    return control.group().encode("unicode_escape").decode()


def _indented(text: str) -> str:
    lines = without_queries(_shortened(text)).split("\n")
    return "\n".join(
        bounded_line("  " + _CONTROLS.sub(_escape, line) if number else line)
        for number, line in enumerate(lines)
    )


_write_entry = AccessLogGenerator.write_entry


def _write_entry_without_query(
    self: AccessLogGenerator, host: Any, date: Any, request: str, *args: Any, **more: Any
) -> None:
    line = bounded_line(_CONTROLS.sub(_escape, without_queries(_shortened(request))))
    _write_entry(self, host, date, line, *args, **more)


def guard_daphne_access_log() -> None:
    """Filter `daphne`'s access log, which bypasses `logging` and has no setting for it."""
    AccessLogGenerator.write_entry = _write_entry_without_query
