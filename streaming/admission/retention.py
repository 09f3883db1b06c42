"""For how long ended answers are kept, by plan. Synchronous ORM.

`STREAM_RETENTION_DAYS` is the default. The admin's rows (`models.Limit`) override it as they
override limits: a user's own row before those of the user's groups, of which the most generous
counts, before the row for all users.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q

from ..access.owners import UserId
from ..models import RETENTION_DAYS_AT_MOST, Limit
from .groups import members_of, memberships

AS_CONFIGURED = "as configured"


@dataclass(frozen=True, slots=True)
class Plan:
    """A retention, and what sets it."""

    name: str
    days: float  # after an answer's end; 0: for ever

    @property
    def in_words(self) -> str:
        if not self.days:
            return "forever"
        return f"for {self.days:g} day{'' if self.days == 1 else 's'}"

    def cutoff(self, now: datetime) -> datetime | None:
        """Return the time before which answers must have ended to be deleted; None: never."""
        days = min(self.days, RETENTION_DAYS_AT_MOST)  # only the form of the rows refuses more
        return now - timedelta(days=days) if days else None


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of everybody."""

    of_visitors: Plan
    of_users: Plan
    of_group: dict[int, Plan]
    of_user: dict[UserId, Plan]

    @property
    def is_one(self) -> bool:
        """Whether the same plan applies to everybody."""
        return self.of_visitors == self.of_users and not self.of_group and not self.of_user

    def all(self) -> list[Plan]:
        """Return each plan once, the widest first."""
        every = [self.of_users, self.of_visitors, *self.of_group.values(), *self.of_user.values()]
        return list(dict.fromkeys(every))

    def of(self, user_ids: Collection[UserId]) -> dict[UserId, Plan]:
        """Return the plans of users. One query at the most."""
        groups: dict[UserId, list[Plan]] = {}
        if self.of_group:
            for user_id, group_id in memberships(user_ids, list(self.of_group)):
                groups.setdefault(user_id, []).append(self.of_group[group_id])
        return {
            user_id: self.of_user.get(user_id)
            or _most_generous(groups.get(user_id, ()))
            or self.of_users
            for user_id in user_ids
        }

    def next_users(self, after: UserId | None, at_most: int) -> list[UserId]:
        """Return users whose answers may have an end of their time, ordered by primary key.

        If the answers of most users are kept for ever, only the others are read.

        Args:
            after: the last user of the previous call; None: begin.
        """
        users: Any = get_user_model()._base_manager.order_by("pk")
        if not self.of_users.days:
            named = Q(pk__in=list(self.of_user)) | Q(pk__in=members_of(list(self.of_group)))
            users = users.filter(named)
        if after is not None:
            users = users.filter(pk__gt=after)
        return list(users.values_list("pk", flat=True)[:at_most])


def read_plans() -> Plans:
    """Read the admin's rows. One query."""
    configured = Plan(AS_CONFIGURED, settings.STREAM_RETENTION_DAYS)
    of_kind: dict[str, Plan] = {}
    of_group: dict[int, Plan] = {}
    of_user: dict[UserId, Plan] = {}
    rows = Limit.objects.filter(retention_days__isnull=False).select_related("group", "user")
    for row in rows:
        plan = Plan(str(row), float(row.retention_days or 0))
        match row.whose:
            case Limit.Whose.USER if row.user_id is not None:
                of_user[row.user_id] = plan
            case Limit.Whose.MEMBER if row.group_id is not None:
                of_group[row.group_id] = plan
            case _:
                of_kind[row.whose] = plan
    return Plans(
        of_visitors=of_kind.get(Limit.Whose.VISITOR, configured),
        of_users=of_kind.get(Limit.Whose.USERS, configured),
        of_group=of_group,
        of_user=of_user,
    )


def plan_of(user_id: UserId | None) -> Plan:
    """Return the plan of a user, or of anonymous visitors (None)."""
    plans = read_plans()
    return plans.of_visitors if user_id is None else plans.of([user_id])[user_id]


def _most_generous(plans: Iterable[Plan]) -> Plan | None:
    return max(plans, key=lambda plan: (not plan.days, plan.days), default=None)
