"""What running streams hold, counted in their rows: places, and tokens. Synchronous ORM.

All processes share the rows, and the rows survive a crash. A stream holds its place and its tokens
until any process saves its end to its row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from ..errors import Refused
from ..limits import Subject, Subjects, Whose
from ..models import Stream
from .texts import too_many_running


@dataclass(frozen=True, slots=True)
class Held:
    """What a subject's running streams hold."""

    places: int
    tokens: int


NOTHING_HELD = Held(0, 0)


@dataclass(frozen=True, slots=True)
class Full:
    """All places of a subject are taken."""

    running: list[str]  # ids of the streams that hold the places
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(len(self.running), self.whose)


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
        taken = list(running(subject, without))
        if len(taken) >= limit:
            return Full(taken, subject.shown)
    return None


def lock(subjects: Iterable[Subject]) -> None:
    """Serialise starts of the same subjects until this transaction ends.

    Two concurrent counts would each miss the other's row. SQLite has a single writer anyway.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # A fixed order prevents deadlocks.
        for key in sorted(subject.key for subject in subjects):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


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
            return f"ended_at IS NULL AND user_id IN ({_members()})", [subject.group_id]
        case "anonymous":
            return "user_id IS NULL AND ended_at IS NULL", []
        case "all":
            return "ended_at IS NULL", []


def _members() -> str:
    groups = get_user_model().groups
    quote = connection.ops.quote_name
    user, group = groups.field.m2m_column_name(), groups.field.m2m_reverse_name()
    table = quote(groups.through._meta.db_table)
    return f"SELECT {quote(user)} FROM {table} WHERE {quote(group)} = %s"
