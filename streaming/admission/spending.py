"""The tokens that subjects use: reserved when a stream starts, settled when its row ends.

A running stream's reservation is a column of its row, so it ends with the row's end, whoever writes
that: the process that generated the stream, or another one after a crash. The same transaction adds
what was used to the counters of the day; a month is the sum of its days. Synchronous ORM.

Decision: specs/050-live-ai-interaction/decisions/037-limits-by-subject.md
"""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models.signals import pre_delete
from django.utils import timezone

from blocks.runtime.meter import tokens_in

from ..access.owners import is_anonymous
from ..errors import Refused
from ..limits import Subjects, Whose, visitors_counter
from ..models import Stream, TokenUse
from .groups import memberships
from .subjects import counts_addresses, counts_visitors_of_addresses, groups_together
from .texts import Period, tokens_are_reserved, too_many_tokens
from .usage import Use, day_of, end_of, running, token_limits


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
        if self.needed <= self.left:
            return tokens_are_reserved(self.limit, self.period, self.whose)
        wait_seconds = (end_of(self.period, self.now) - self.now).total_seconds()
        return too_many_tokens(
            self.limit, self.left, self.needed, self.period, self.whose, wait_seconds=wait_seconds
        )


def find_spent(subjects: Subjects, uses: Iterable[Use], needed: int) -> Spent | None:
    """Return the first limit of tokens that a start would exceed; None if there is none.

    Args:
        uses: from `use_of`.
        needed: what the stream may use; 0: no model is asked.
    """
    if not needed:
        return None
    for subject, use in zip(subjects, uses, strict=True):
        for period, limit in token_limits(subject.allowance):
            if use.tokens(period) + needed > limit:
                left = limit - use.tokens(period) + use.reserved
                few = running(subject) if subject.has_few else []
                return Spent(limit, left, needed, period, subject.shown, timezone.now(), few)
    return None


@dataclass(frozen=True, slots=True)
class Ending:
    """Whom a running stream counts towards, and its usage as saved, before its end is saved."""

    owner_key: str
    address_key: str
    user_id: Any
    is_sample: bool
    input_tokens: int | None
    output_tokens: int | None
    owner: str


def find_ending(
    cursor: CursorWrapper, stream_ids: Collection[str], *, process: str | None = None
) -> dict[str, Ending]:
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
    cursor.execute(
        "SELECT id, owner_key, address_key, user_id, sample, input_tokens, output_tokens,"
        " owner"
        f" FROM {Stream._meta.db_table} WHERE {condition}",
        values,
    )
    to_python = Stream._meta.get_field("user").target_field.to_python
    return {
        key: Ending(owner, address, to_python(user_id), bool(sample), *usage)
        for key, owner, address, user_id, sample, *usage in cursor.fetchall()
    }


def tokens_of(row: Stream) -> int:
    """Return what a stream has used, by its row; an estimate if its provider never reported."""
    if row.input_tokens is not None:
        return row.input_tokens + (row.output_tokens or 0)
    if row.started_at is None:
        return 0
    texts = (row.prompt, row.text, json.dumps(row.items) if row.items else "")
    return tokens_in(*texts)


def connect_signals() -> None:
    """Settle the usage of running streams whose rows are deleted, with their user for example."""
    pre_delete.connect(_deleted, sender=Stream, dispatch_uid="streaming.spending")


def _deleted(instance: Stream, **_: Any) -> None:
    with connection.cursor() as cursor:
        endings = find_ending(cursor, [instance.pk]).values()
        settle(cursor, [(ending, tokens_of(instance)) for ending in endings])


def settle(cursor: CursorWrapper, endings: Iterable[tuple[Ending, int]]) -> None:
    """Add the usage of streams to the counters of their subjects, in the transaction of their ends.

    Args:
        endings: each with the tokens that the stream has used.
    """
    spent: Counter[str] = Counter()
    by_user: Counter[Any] = Counter()
    for ending, tokens in endings:
        if ending.is_sample or tokens <= 0:
            continue  # no model was asked
        keys = {ending.owner_key}
        if counts_addresses():
            keys.add(ending.address_key)
        is_nobody = is_anonymous(ending.owner, ending.user_id)
        if is_nobody and ending.address_key and counts_visitors_of_addresses():
            keys.add(visitors_counter(ending.address_key))
        for key in keys - {""}:
            spent[key] += tokens
        if is_nobody:
            spent["anonymous"] += tokens
        elif ending.user_id is not None:
            by_user[ending.user_id] += tokens
        spent["all"] += tokens
    if not spent:
        return
    if by_user:
        spent.update(_of_groups(by_user))
    _add(cursor, spent, day_of(timezone.now()))


def _of_groups(by_user: Mapping[Any, int]) -> Counter[str]:
    """Return the usage by group, of the groups that count together."""
    found: Counter[str] = Counter()
    if groups := groups_together():
        for user_id, group_id in memberships(list(by_user), groups):
            found[f"group:{group_id}"] += by_user[user_id]
    return found


def _add(cursor: CursorWrapper, spent: Mapping[str, int], day: str) -> None:
    """Each process has counters of its own: one that was stopped while it held a row's lock must
    not stop the ends of all others."""
    writer = crc32(f"{socket.gethostname()} {os.getpid()}".encode()) >> 1
    rows: list[list[str | int]] = [
        [key, day, writer, tokens]
        for key, tokens in sorted(spent.items())  # a fixed order prevents deadlocks
    ]
    table = TokenUse._meta.db_table
    cursor.executemany(
        f"INSERT INTO {table} (subject, day, writer, tokens) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (subject, day, writer) DO UPDATE SET tokens ="
        f" {table}.tokens + excluded.tokens",
        rows,
    )
