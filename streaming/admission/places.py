"""Limits of running streams. Synchronous ORM."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from ..errors import Refused
from ..limits import Subject, Subjects, Whose
from .texts import too_many_running
from .usage import Use, running

WIDE_LOCK_SECONDS = 0.1
"""Starts hold a lock for about a millisecond."""


@dataclass(frozen=True, slots=True)
class Full:
    """All places of a subject are taken."""

    count: int
    running: list[str]  # ids of the streams that hold the places, if these are few
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(self.count, self.whose)


def find_full(subjects: Subjects, uses: Iterable[Use], *, without: Collection[str]) -> Full | None:
    """Return the first limit that is reached; None if all subjects have a free place.

    Args:
        uses: from `use_of`.
        without: ids of streams that do not count, for example because they have ended and their
            rows do not show it yet.
    """
    for subject, use in zip(subjects, uses, strict=True):
        limit = subject.allowance.running
        if not limit or use.places < limit:
            continue
        if not subject.has_few:
            return Full(use.places, [], subject.shown)
        taken = running(subject, without)
        if len(taken) >= limit:
            return Full(len(taken), taken, subject.shown)
    return None


def lock(cursor: CursorWrapper, subjects: Iterable[Subject]) -> None:
    """Serialise starts of the same subjects until this transaction ends.

    Two concurrent counts would each miss the other's row. SQLite has a single writer anyway. A lock
    of many visitors is not waited for longer than `WIDE_LOCK_SECONDS`: a process that was stopped
    while it held one must not stop all others. The limit may then be exceeded by one start for each
    process.
    """
    if cursor.db.vendor != "postgresql":
        return
    # A fixed order prevents deadlocks.
    for is_wide, key in sorted({(not subject.has_few, subject.key) for subject in subjects}):
        if not is_wide:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            continue
        until = time.monotonic() + WIDE_LOCK_SECONDS
        while not _has_locked(cursor, key) and time.monotonic() < until:
            time.sleep(0.002)


def _has_locked(cursor: CursorWrapper, key: str) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    return bool(cursor.fetchone()[0])
