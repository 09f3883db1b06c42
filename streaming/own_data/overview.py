"""What is stored of an owner. Synchronous ORM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min

from ..access.visitor import Visitor
from ..admission.retention import Plan, plan_of
from ..database.joining import join
from ..database.rows import format_time
from ..models import Stream


@dataclass(frozen=True, slots=True)
class Overview:
    count: int  # answers, running ones included
    oldest: datetime | None
    plan: Plan

    @property
    def count_words(self) -> str:
        return f"{self.count:,} answer{'' if self.count == 1 else 's'}"

    @property
    def all_words(self) -> str:
        return "your only answer" if self.count == 1 else f"all {self.count:,} answers"


def look_over(visitor: Visitor) -> Overview:
    """Count an owner's answers, and return for how long they are kept."""
    rows = Stream.objects.filter(owner=visitor.owner).order_by()
    found = rows.aggregate(count=Count("pk"), oldest=Min("created_at"))
    return Overview(found["count"], found["oldest"], plan_of(visitor.user_id))


def join_overtaken(visitor: Visitor) -> None:
    """Make starts that a sign-in has overtaken the user's, so that none is left out."""
    if visitor.user_id is not None and visitor.session_id is not None:
        join(visitor.session_id, visitor.user_id)


def describe_account(user: Any) -> dict[str, Any] | None:
    """Return who a user is, for an export; None for visitors. Works with any user model."""
    if not user.is_authenticated:
        return None
    groups = user.groups.values_list("name", flat=True) if hasattr(user, "groups") else []
    return {
        "name": user.get_username(),
        "email": getattr(user, user.get_email_field_name(), None) or None,
        "joined_at": format_time(getattr(user, "date_joined", None)),
        "groups": sorted(groups),
    }
