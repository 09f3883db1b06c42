"""The tokens that subjects use: reserved when a stream starts, settled when its row ends.

A running stream's reservation is a column of its row, so it ends with the row's end, whoever writes
that: the process that generated the stream, or another one after a crash. The same transaction adds
what was used to the counters of the day; a month is the sum of its days. Synchronous ORM.

Decision: specs/050-live-ai-interaction/decisions/037-limits-by-subject.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from ..errors import Refused
from ..limits import Allowance, Subject, Subjects, Whose
from ..models import Stream, TokenUse
from .places import Held, running
from .subjects import groups_together
from .texts import Period, too_many_tokens

BYTES_PER_TOKEN = 4
"""As in `blocks/runtime/meter.py`: an estimate of what a provider did not report."""


@dataclass(frozen=True, slots=True)
class Spent:
    """A subject has too few tokens left for one more stream."""

    limit: int
    left: int
    needed: int
    period: Period
    whose: Whose
    now: datetime
    running: list[str]  # ids of the streams that hold reservations, if these are few

    def refusal(self) -> Refused:
        wait_seconds = (_end_of(self.period, self.now) - self.now).total_seconds()
        return too_many_tokens(
            self.limit, self.left, self.needed, self.period, self.whose, wait_seconds=wait_seconds
        )


def find_spent(
    subjects: Subjects, held: Iterable[Held], needed: int, *, without: Collection[str] = ()
) -> Spent | None:
    """Return the first limit of tokens that a start would exceed; None if there is none.

    Args:
        held: from `held_by`.
        needed: what the stream may use.
        without: ids of streams whose end is not in their rows yet; they reserve nothing.
    """
    now = timezone.now()
    used = used_by(subjects, now)
    for subject, holds in zip(subjects, held, strict=True):
        reserved = holds.tokens
        for period, limit in token_limits(subject.allowance):
            left = limit - used[subject.key, period]
            if needed <= left - reserved:
                continue
            has_few = subject.whose in ("owner", "address")
            holding = running(subject, without) if has_few else {}
            if has_few and needed <= left - sum(holding.values()):
                continue
            whose = subject.shown
            return Spent(limit, left, needed, period, whose, now, list(holding))
    return None


def token_limits(allowed: Allowance) -> list[tuple[Period, int]]:
    """Return the limits of an allowance that apply, by their period."""
    limits: list[tuple[Period, int]] = [
        ("day", allowed.tokens_per_day),
        ("month", allowed.tokens_per_month),
    ]
    return [(period, limit) for period, limit in limits if limit]


def used_by(subjects: Iterable[Subject], now: datetime) -> Counter[tuple[str, Period]]:
    """Return the tokens that subjects have used in the current day and month, by key and period.

    Subjects without a limit of tokens are left out. One query at the most.
    """
    used: Counter[tuple[str, Period]] = Counter()
    limited = {each.key: each.allowance for each in subjects if token_limits(each.allowance)}
    if not limited:
        return used
    today = _day(now)
    is_monthly = any(allowed.tokens_per_month for allowed in limited.values())
    places = ", ".join(["%s"] * len(limited))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subject, day, tokens FROM {TokenUse._meta.db_table}"
            f" WHERE subject IN ({places}) AND day >= %s",
            [*limited, today[:8] + "01" if is_monthly else today],
        )
        for key, day, tokens in cursor.fetchall():
            used[key, "month"] += tokens
            if day == today:
                used[key, "day"] += tokens
    return used


@dataclass(frozen=True, slots=True)
class Ending:
    """Whom a running stream counts towards, and its usage as saved, before its end is saved."""

    owner_key: str
    address_key: str
    user_id: Any
    is_sample: bool
    input_tokens: int | None
    output_tokens: int | None


def find_ending(stream_ids: Collection[str], *, process: str | None = None) -> dict[str, Ending]:
    """Read the rows of streams whose end is about to be saved, in the same transaction.

    Args:
        process: leave out the rows of other processes.
    """
    if not stream_ids:
        return {}
    places = ", ".join(["%s"] * len(stream_ids))
    condition, values = f"id IN ({places}) AND ended_at IS NULL", list(stream_ids)
    if process is not None:
        condition += " AND process = %s"
        values.append(process)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, owner_key, address_key, user_id, sample, input_tokens, output_tokens"
            f" FROM {Stream._meta.db_table} WHERE {condition}",
            values,
        )
        return {
            key: Ending(owner, address, user_id, bool(sample), *usage)
            for key, owner, address, user_id, sample, *usage in cursor.fetchall()
        }


def tokens_of(row: Stream) -> int:
    """Return what a stream has used, by its row; an estimate if its provider never reported."""
    if row.input_tokens is not None:
        return row.input_tokens + (row.output_tokens or 0)
    if row.started_at is None:
        return 0
    return -(-(len(row.prompt.encode()) + len(row.text.encode())) // BYTES_PER_TOKEN)


def settle(endings: Iterable[tuple[Ending, int]]) -> None:
    """Add the usage of streams to the counters of their subjects, in the transaction of their ends.

    Args:
        endings: each with the tokens that the stream has used.
    """
    spent: Counter[str] = Counter()
    by_user: Counter[Any] = Counter()
    for ending, tokens in endings:
        if ending.is_sample or tokens <= 0:
            continue  # no model was asked
        for key in {ending.owner_key, ending.address_key} - {""}:
            spent[key] += tokens
        if ending.user_id is None:
            spent["anonymous"] += tokens
        else:
            by_user[ending.user_id] += tokens
        spent["all"] += tokens
    if not spent:
        return
    if by_user:
        spent.update(_of_groups(by_user))
    _add(spent, _day(timezone.now()))


def _of_groups(by_user: Mapping[Any, int]) -> Counter[str]:
    """Return the usage by group, of the groups that count together."""
    found: Counter[str] = Counter()
    groups = groups_together()
    if groups:
        rows = Group.objects.filter(pk__in=groups, user__in=list(by_user))
        for user_id, group_id in rows.values_list("user", "pk"):
            found[f"group:{group_id}"] += by_user[user_id]
    return found


def _add(spent: Mapping[str, int], day: str) -> None:
    rows: list[list[str | int]] = [
        [key, day, tokens]
        for key, tokens in sorted(spent.items())  # a fixed order prevents deadlocks
    ]
    table = TokenUse._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (subject, day, tokens) VALUES (%s, %s, %s)"
            " ON CONFLICT (subject, day) DO UPDATE SET tokens ="
            f" {table}.tokens + excluded.tokens",
            rows,
        )


def _day(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%d}"


def _end_of(period: Period, now: datetime) -> datetime:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def first_day_kept(now: datetime) -> str:
    """Return the first day that is kept: that of the last month."""
    return _day((now.replace(day=1) - timedelta(days=1)).replace(day=1))
