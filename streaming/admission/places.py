"""The places that running streams hold, counted in their rows. Synchronous ORM.

All processes share the rows, and the rows survive a crash. A stream holds its place until any
process saves its end to its row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection

from ..errors import Refused
from ..limits import Subject, Subjects, Whose
from ..models import Stream
from .texts import too_many_running


@dataclass(frozen=True, slots=True)
class Full:
    """All places of a subject are taken."""

    running: list[str]  # ids of the streams that hold the places
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(len(self.running), self.whose)


def find_full(subjects: Subjects, *, without: Collection[str]) -> Full | None:
    """Return the first limit that is reached; None if all subjects have a free place.

    Args:
        without: ids of streams that do not count, for example because they have ended and their
            rows do not show it yet.
    """
    for subject in subjects:
        limit = subject.allowance.running
        if not limit or count(subject) < limit:
            continue
        taken = running(subject, without)
        if len(taken) >= limit:
            return Full(taken, shown(subject, subjects))
    return None


def shown(subject: Subject, subjects: Subjects) -> Whose:
    """Return whose limit a refusal names: without a session, the address serves as the owner."""
    is_address = any(each.whose == "address" and each.key == subject.key for each in subjects)
    return "address" if is_address else subject.whose


def lock(subjects: Iterable[Subject]) -> None:
    """Serialise starts of the same subjects until this transaction ends.

    Two concurrent counts would each miss the other's row. SQLite has a single writer anyway.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # A fixed order prevents deadlocks.
        for key in sorted({subject.key for subject in subjects if subject.holds_places}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def condition_of(subject: Subject) -> tuple[str, list[Any]]:
    """Return the SQL condition, with its parameters, of a subject's running streams."""
    match subject.whose:
        case "owner" | "address":
            return f"{subject.whose}_key = %s AND ended_at IS NULL", [subject.key]
        case "group":
            return f"ended_at IS NULL AND user_id IN ({_members()})", [subject.group_id]
        case "anonymous":
            return "user_id IS NULL AND ended_at IS NULL", []
        case "all":
            return "ended_at IS NULL", []


def memberships(user_ids: Sequence[Any], group_ids: Sequence[int]) -> list[tuple[Any, int]]:
    """Return the pairs of users and groups among these that belong together."""
    if not user_ids or not group_ids:
        return []
    rows = Group.objects.filter(pk__in=group_ids, user__in=user_ids)
    return list(rows.values_list("user", "pk"))


def _members() -> str:
    through = get_user_model().groups.through
    quote = connection.ops.quote_name
    user = get_user_model().groups.field.m2m_column_name()
    group = get_user_model().groups.field.m2m_reverse_name()
    table = quote(through._meta.db_table)
    return f"SELECT {quote(user)} FROM {table} WHERE {quote(group)} = %s"


def count(subject: Subject) -> int:
    """Count a subject's running streams.

    It reads no ids, and is plain SQL: nearly every start finds a free place.
    """
    condition, values = condition_of(subject)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {Stream._meta.db_table} WHERE {condition}", values)
        counted: int = cursor.fetchone()[0]
        return counted


def running(subject: Subject, without: Collection[str]) -> list[str]:
    """Return the ids of a subject's running streams."""
    condition, values = condition_of(subject)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {Stream._meta.db_table} WHERE {condition}", values)
        return [stream_id for (stream_id,) in cursor.fetchall() if stream_id not in without]
