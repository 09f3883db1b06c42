"""What subjects use: places and tokens that their running streams hold, and tokens of this month.

All processes share the rows, and the rows survive a crash. A stream holds its place and its tokens
until any process saves its end to its row. Synchronous ORM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from ..access.owners import OUTSIDE_START
from ..limits import Allowance, Subject
from ..models import Stream, TokenUse
from .groups import members_sql
from .texts import Period

_ANONYMOUS = "user_id IS NULL AND owner NOT LIKE %s"


@dataclass(frozen=True, slots=True)
class Use:
    """What one subject uses. Tokens are 0 if the subject has no limit of them."""

    places: int
    reserved: int  # tokens that its running streams may still use
    day: int = 0  # tokens that it has used today
    month: int = 0

    def tokens(self, period: Period) -> int:
        """Return the tokens that it has used in a period, with those that are reserved."""
        return self.reserved + (self.day if period == "day" else self.month)


def use_of(cursor: CursorWrapper, subjects: Iterable[Subject], now: datetime) -> list[Use]:
    """Return what each subject uses, with one query: every start asks."""
    streams, counters = Stream._meta.db_table, TokenUse._meta.db_table
    total = f"(SELECT COALESCE(SUM(tokens), 0) FROM {counters} WHERE subject = %s AND day >= %s)"
    today = day_of(now)
    parts: list[str] = []
    values: list[Any] = []
    for number, subject in enumerate(subjects):
        columns = [str(number), "COUNT(*)"]
        limited = dict(token_limits(subject.allowance))
        columns.append("COALESCE(SUM(reserved_tokens), 0)" if limited else "0")
        for period, first_day in ("day", today), ("month", f"{today[:8]}01"):
            columns.append(total if period in limited else "0")
            values += [subject.counter, first_day] if period in limited else []
        condition, those = _condition(subject)
        parts.append(f"SELECT {', '.join(columns)} FROM {streams} WHERE {condition}")
        values += those
    if not parts:
        return []
    cursor.execute(" UNION ALL ".join(parts), values)
    return [Use(*map(int, figures)) for _, *figures in sorted(cursor.fetchall())]


def running(subject: Subject, without: Collection[str] = ()) -> list[str]:
    """Return the ids of a subject's running streams."""
    condition, values = _condition(subject)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {Stream._meta.db_table} WHERE {condition}", values)
        return [key for (key,) in cursor.fetchall() if key not in without]


def token_limits(allowed: Allowance) -> list[tuple[Period, int]]:
    """Return the limits of tokens that apply, by their period."""
    limits: list[tuple[Period, int]] = [
        ("day", allowed.tokens_per_day),
        ("month", allowed.tokens_per_month),
    ]
    return [(period, limit) for period, limit in limits if limit]


def day_of(now: datetime) -> str:
    """Return the day of the counters, by UTC: `2026-11-30`."""
    return now.astimezone(UTC).date().isoformat()


def end_of(period: Period, now: datetime) -> datetime:
    """Return the moment from which the next day or month counts."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def first_day_kept(now: datetime) -> str:
    """Return the first day that is kept: that of the last month."""
    return day_of((now.replace(day=1) - timedelta(days=1)).replace(day=1))


def _condition(subject: Subject) -> tuple[str, list[Any]]:
    match subject.whose:
        case "owner" | "address":
            return f"{subject.whose}_key = %s AND ended_at IS NULL", [subject.key]
        case "at_address":
            own = f"address_key = %s AND {_ANONYMOUS} AND ended_at IS NULL"
            return own, [subject.key, f"{OUTSIDE_START}%"]
        case "group":
            return f"ended_at IS NULL AND user_id IN ({members_sql()})", [subject.group_id]
        case "anonymous":
            return f"{_ANONYMOUS} AND ended_at IS NULL", [f"{OUTSIDE_START}%"]
        case "all":
            return "ended_at IS NULL", []
