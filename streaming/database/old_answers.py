"""Ended answers whose time is over, by plan. Synchronous ORM.

Each query reads what is to be deleted through an index, and nothing of what is kept: the index on
the end if one plan applies to everybody, otherwise that on user and end, for some users at a time.

Decision: specs/050-live-ai-interaction/decisions/038-own-data-and-retention-by-plan.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from ..access.owners import OUTSIDE_RANGE, OUTSIDE_START, UserId
from ..admission.retention import Plan, Plans, read_plans
from ..models import Stream
from . import batches
from .batches import delete_some

USERS_AT_ONCE = 500

Due = tuple[Plan, QuerySet[Stream]]


class OldAnswers:
    """One pass that deletes what is old, in steps.

    Each step reads the plans and the members of groups anew, so that a change in the admin applies
    to the next batch.
    """

    def __init__(self) -> None:
        self.deleted = 0
        self._has_seen_visitors = False
        self._after: UserId | None = None

    def delete_some(self) -> bool:
        """Delete a batch. True: there may be more."""
        plans, now = read_plans(), timezone.now()
        if plans.is_one:
            return any(self._delete_full(due) for due in _of_all(plans, now))
        if not self._has_seen_visitors:
            if any(self._delete_full(due) for due in _of_nobodys(plans, now)):
                return True
            self._has_seen_visitors = True
        users = plans.next_users(self._after, USERS_AT_ONCE)
        if any(self._delete_full(due) for due in _of_users(plans, users, now)):
            return True
        if users:
            self._after = users[-1]
        return len(users) == USERS_AT_ONCE

    def _delete_full(self, due: Due) -> bool:
        count = delete_some(due[1])
        self.deleted += count
        return count == batches.BATCH_ROWS


@dataclass(slots=True)
class Expired:
    """The answers of a plan whose time is over: their number, and when they ended."""

    plan: Plan
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, rows: QuerySet[Stream]) -> None:
        found = rows.order_by().aggregate(
            count=Count("pk"), first=Min("ended_at"), last=Max("ended_at")
        )
        self.count += found["count"]
        if found["count"]:
            self.first = min(filter(None, (self.first, found["first"])))
            self.last = max(filter(None, (self.last, found["last"])))


def find_expired() -> list[Expired]:
    """Return what a pass would delete now, by plan; it reads no content and deletes nothing."""
    plans, now = read_plans(), timezone.now()
    found = {plan: Expired(plan) for plan in plans.all()}
    for plan, rows in _every(plans, now):
        found[plan].add(rows)
    return list(found.values())


def _every(plans: Plans, now: datetime) -> Iterator[Due]:
    if plans.is_one:
        yield from _of_all(plans, now)
        return
    yield from _of_nobodys(plans, now)
    after: UserId | None = None
    while users := plans.next_users(after, USERS_AT_ONCE):
        yield from _of_users(plans, users, now)
        after = users[-1]


def _of_all(plans: Plans, now: datetime) -> Iterator[Due]:
    if cutoff := plans.of_users.cutoff(now):
        yield plans.of_users, Stream.objects.filter(ended_at__lt=cutoff).order_by("ended_at")


def _of_nobodys(plans: Plans, now: datetime) -> Iterator[Due]:
    """Yield what no user here has asked: anonymous visitors, and users of other sites."""
    if cutoff := plans.of_visitors.cutoff(now):
        rows = Stream.objects.filter(user__isnull=True, ended_at__lt=cutoff)
        rows = rows.exclude(owner__startswith=OUTSIDE_START)
        yield plans.of_visitors, rows.order_by("ended_at")
    if cutoff := plans.of_users.cutoff(now):
        # A range, by the index on owners, and unordered: by `ended_at`, all visitors would be read.
        first, behind = OUTSIDE_RANGE
        rows = Stream.objects.filter(owner__gte=first, owner__lt=behind, ended_at__lt=cutoff)
        yield plans.of_users, rows.order_by()


def _of_users(plans: Plans, users: list[UserId], now: datetime) -> Iterator[Due]:
    by_plan: dict[Plan, list[UserId]] = {}
    for user_id, plan in plans.of(users).items():
        by_plan.setdefault(plan, []).append(user_id)
    for plan, ids in by_plan.items():
        if cutoff := plan.cutoff(now):
            # Unordered: by `ended_at`, PostgreSQL might read what others keep for ever.
            yield plan, Stream.objects.filter(user_id__in=ids, ended_at__lt=cutoff).order_by()
