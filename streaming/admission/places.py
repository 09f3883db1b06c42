"""What running streams hold, counted in their rows: places, and tokens. Synchronous ORM.

All processes share the rows, and the rows survive a crash. A stream holds its place and its tokens
until any process saves its end to its row.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ..errors import Refused
from ..limits import Subject, Subjects, Whose
from ..models import Stream
from .groups import members_sql
from .texts import too_many_running

WIDE_LOCK_SECONDS = 0.1
"""Starts hold a lock for about a millisecond."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a subject's running streams hold."""

    places: int
    tokens: int


NOTHING_HELD = Held(0, 0)


@dataclass(frozen=True, slots=True)
class Full:
    """All places of a subject are taken."""

    count: int
    running: list[str]  # ids of the streams that hold the places, if these are few
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(self.count, self.whose)


def held_by(subjects: Iterable[Subject]) -> list[Held]:
    """Return what each subject's running streams hold, with one query: every start asks."""
    table = Stream._meta.db_table
    parts, values = [], []
    for number, subject in enumerate(subjects):
        condition, those = _condition(subject)
        allowed = subject.allowance
        has_tokens = allowed.tokens_per_day or allowed.tokens_per_month
        total = "COALESCE(SUM(reserved_tokens), 0)" if has_tokens else "0"
        parts.append(f"SELECT {number}, COUNT(*), {total} FROM {table} WHERE {condition}")
        values += those
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return [Held(places, int(tokens)) for _, places, tokens in sorted(cursor.fetchall())]


def find_full(subjects: Subjects, held: Iterable[Held], *, without: Collection[str]) -> Full | None:
    """Return the first limit that is reached; None if all subjects have a free place.

    Args:
        held: from `held_by`.
        without: ids of streams that do not count, for example because they have ended and their
            rows do not show it yet.
    """
    for subject, holds in zip(subjects, held, strict=True):
        limit = subject.allowance.running
        if not limit or holds.places < limit:
            continue
        if not subject.has_few:
            return Full(holds.places, [], subject.shown)
        taken = list(running(subject, without))
        if len(taken) >= limit:
            return Full(len(taken), taken, subject.shown)
    return None


def lock(subjects: Iterable[Subject]) -> None:
    """Serialise starts of the same subjects until this transaction ends.

    Two concurrent counts would each miss the other's row. SQLite has a single writer anyway. A lock
    of many visitors is not waited for longer than `WIDE_LOCK_SECONDS`: a process that was stopped
    while it held one must not stop all others. The limit may then be exceeded by one start for each
    process.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # A fixed order prevents deadlocks.
        for is_wide, key in sorted((not subject.has_few, subject.key) for subject in subjects):
            if not is_wide:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
                continue
            until = time.monotonic() + WIDE_LOCK_SECONDS
            while not _has_locked(cursor, key) and time.monotonic() < until:
                time.sleep(0.002)


def _has_locked(cursor: Any, key: str) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    return bool(cursor.fetchone()[0])


def running(subject: Subject, without: Collection[str]) -> dict[str, int]:
    """Return a subject's running streams: what each may use, by id."""
    condition, values = _condition(subject)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, reserved_tokens FROM {Stream._meta.db_table} WHERE {condition}", values
        )
        return {key: tokens for key, tokens in cursor.fetchall() if key not in without}


def _condition(subject: Subject) -> tuple[str, list[Any]]:
    match subject.whose:
        case "owner" | "address":
            return f"{subject.whose}_key = %s AND ended_at IS NULL", [subject.key]
        case "group":
            return f"ended_at IS NULL AND user_id IN ({members_sql()})", [subject.group_id]
        case "anonymous":
            return "user_id IS NULL AND ended_at IS NULL", []
        case "all":
            return "ended_at IS NULL", []
