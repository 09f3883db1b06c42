"""Lines of the log without query strings: a prompt that comes by GET stands in one."""

from __future__ import annotations

import logging
import re
from typing import Any

from daphne.access import AccessLogGenerator

_QUERY = re.compile(r"(/[^\s?]*)\?\S+")


def without_queries(text: str) -> str:
    """`GET /ask?prompt=Why 200` → `GET /ask 200`."""
    return _QUERY.sub(r"\1", text)


class LineFormatter(logging.Formatter):
    """Cuts queries off whoever's message it is: Django's, Daphne's, a traceback's."""

    def format(self, record: logging.LogRecord) -> str:
        return without_queries(super().format(record))


_write_entry = AccessLogGenerator.write_entry


def _write_entry_without_query(
    self: AccessLogGenerator, host: Any, date: Any, request: str, *args: Any, **more: Any
) -> None:
    _write_entry(self, host, date, without_queries(request), *args, **more)


def guard_daphne_access_log() -> None:
    """The `daphne` command prints its access log past `logging`, and has no setting for it."""
    AccessLogGenerator.write_entry = _write_entry_without_query
