"""The tokens that subjects use: reserved when a stream starts, settled when its row ends.

A running stream's reservation is a column of its row, so it ends with the row's end, whoever writes
that: the process that generated the stream, or another one after a crash. The same transaction adds
what was used to the counters of the day and the month. Synchronous ORM.

Decision: specs/050-live-ai-interaction/decisions/037-limits-by-subject.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from ..errors import Refused
from ..limits import Allowance, Subject, Subjects, Whose
from ..models import Limit, Stream, TokenUse
from .places import condition_of, memberships, running, shown
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


def find_spent(subjects: Subjects, needed: int, *, without: Collection[str] = ()) -> Spent | None:
    """Return the first limit of tokens that a start would exceed; None if there is none.

    Args:
        needed: what the stream may use.
        without: ids of streams whose end is not in their rows yet; they reserve nothing.
    """
    now = timezone.now()
    for subject in subjects:
        for period, limit in token_limits(subject.allowance):
            left = limit - used(subject.key, period, now)
            if needed > left - reserved(subject, without=without):
                whose = shown(subject, subjects)
                has_few = subject.whose in ("owner", "address")
                holding = running(subject, without) if has_few else []
                return Spent(limit, left, needed, period, whose, now, holding)
    return None


def token_limits(allowed: Allowance) -> list[tuple[Period, int]]:
    """Return the limits of an allowance that apply, by their period."""
    limits: list[tuple[Period, int]] = [
        ("day", allowed.tokens_per_day),
        ("month", allowed.tokens_per_month),
    ]
    return [(period, limit) for period, limit in limits if limit]


def used(key: str, period: Period, now: datetime) -> int:
    """Return the tokens that a subject has used in the current day or month."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tokens FROM {TokenUse._meta.db_table} WHERE subject = %s AND period = %s",
            [key, _name_of(period, now)],
        )
        row = cursor.fetchone()
        return 0 if row is None else int(row[0])


def reserved(subject: Subject, *, without: Collection[str] = ()) -> int:
    """Return the tokens that a subject's running streams may still use."""
    condition, values = condition_of(subject)
    for stream_id in without:
        condition += " AND id <> %s"
        values.append(stream_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT SUM(reserved_tokens) FROM {Stream._meta.db_table} WHERE {condition}", values
        )
        return int(cursor.fetchone()[0] or 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a running stream's row says about its usage, just before its end is saved."""

    owner_key: str
    address_key: str
    user_id: Any
    is_sample: bool
    tokens: int
    """As saved last; estimated if the provider has not reported it."""


def find_ending(stream_ids: Collection[str], *, process: str | None = None) -> dict[str, Ending]:
    """Read the rows of streams whose end is about to be saved, in the same transaction.

    Args:
        process: leave out the rows of other processes.
    """
    if not stream_ids:
        return {}
    rows = Stream.objects.filter(pk__in=stream_ids, ended_at__isnull=True)
    if process is not None:
        rows = rows.filter(process=process)
    names = ("id", "owner_key", "address_key", "user_id", "sample")
    usage = ("started_at", "input_tokens", "output_tokens", "prompt", "text")
    found = {}
    for row in rows.order_by().values(*names, *usage):
        found[row["id"]] = Ending(
            row["owner_key"],
            row["address_key"],
            row["user_id"],
            bool(row["sample"]),
            _tokens_of(row),
        )
    return found


def _tokens_of(row: Mapping[str, Any]) -> int:
    if row["input_tokens"] is not None:
        return int(row["input_tokens"]) + int(row["output_tokens"] or 0)
    if row["started_at"] is None:
        return 0
    size = len(row["prompt"].encode()) + len(row["text"].encode())
    return -(-size // BYTES_PER_TOKEN)


def settle(endings: Iterable[tuple[Ending, Mapping[str, Any]]]) -> None:
    """Add the usage of streams to the counters of their subjects, in the transaction of their ends.

    Args:
        endings: each with the columns that were saved with its end.
    """
    spent: Counter[str] = Counter()
    by_user: Counter[Any] = Counter()
    for ending, columns in endings:
        if ending.is_sample:
            continue  # no model was asked
        tokens = ending.tokens
        if columns.get("input_tokens") is not None:
            tokens = columns["input_tokens"] + (columns.get("output_tokens") or 0)
        if tokens <= 0:
            continue
        for key in {ending.owner_key, ending.address_key} - {""}:
            spent[key] += tokens
        if ending.user_id is None:
            spent["anonymous"] += tokens
        else:
            by_user[ending.user_id] += tokens
        spent["all"] += tokens
    if not spent:
        return
    for key, tokens in _of_groups(by_user).items():
        spent[key] += tokens
    _add(spent, timezone.now())


def _of_groups(by_user: Mapping[Any, int]) -> Counter[str]:
    """Return the usage by group, of the groups that count together."""
    found: Counter[str] = Counter()
    if not by_user:
        return found
    groups = Limit.objects.filter(whose=Limit.Whose.TOGETHER).values_list("group_id", flat=True)
    for user_id, group_id in memberships(list(by_user), list(groups)):
        found[f"group:{group_id}"] += by_user[user_id]
    return found


def _add(spent: Mapping[str, int], now: datetime) -> None:
    periods: Sequence[Period] = ("day", "month")
    rows: list[list[str | int]] = [
        [key, _name_of(period, now), tokens]
        for key, tokens in sorted(spent.items())  # a fixed order prevents deadlocks
        for period in periods
    ]
    table = TokenUse._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (subject, period, tokens) VALUES (%s, %s, %s)"
            f" ON CONFLICT (subject, period) DO UPDATE SET tokens = {table}.tokens"
            " + excluded.tokens",
            rows,
        )


def _name_of(period: Period, now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%d}" if period == "day" else f"{now.astimezone(UTC):%Y-%m}"


def _end_of(period: Period, now: datetime) -> datetime:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def old_periods(now: datetime) -> str:
    """Return a text that is above the names of all periods that no limit looks at any more."""
    return _name_of("month", now.replace(day=1) - timedelta(days=1))
