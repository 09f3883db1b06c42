"""A time limit for one reader's statements, so that none blocks its thread for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction

from ..errors import Refused

STEPS_BETWEEN_LOOKS = 20_000
"""SQLite VM instructions between two checks of the clock: a few hundred microseconds."""

_POSTGRES_CANCELLED = "57014"
_SQLITE_INTERRUPTED = "SQLITE_INTERRUPT"

_limits: dict[str, Callable[[float], Any]] = {}


@contextmanager
def statement_limit(seconds: float) -> Iterator[None]:
    """Limit how long database reads take on this thread within the context.

    On SQLite the limit covers all statements together, on PostgreSQL each statement.

    Raises:
        Refused: `over_capacity`: a statement was stopped.
    """
    limit = _limits.get(connection.vendor)
    if limit is None:
        yield
        return
    try:
        with limit(seconds):
            yield
    except OperationalError as error:
        if _is_limit(error.__cause__):
            raise Refused(
                "over_capacity", "This is taking too long right now.", retry_after_seconds=2
            ) from None
        raise


@contextmanager
def _sqlite(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _postgresql(seconds: float) -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        limit = f"{seconds * 1000:.0f}"  # ms
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        yield


_limits.update(sqlite=_sqlite, postgresql=_postgresql)


def _is_limit(cause: BaseException | None) -> bool:
    return (
        getattr(cause, "sqlstate", None) == _POSTGRES_CANCELLED
        or getattr(cause, "sqlite_errorname", None) == _SQLITE_INTERRUPTED
    )
