"""What the dashboard asks the database: sums of the answers that began in a period.

Synchronous ORM. Each function makes one query, whose result is bounded; the rows stay in the
database. All answers count that still exist: deleted ones are gone.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from streaming.access.owners import OUTSIDE_START
from streaming.models import Stream

from .counted import DayUse, Ends, PlanUse, Used
from .periods import Period

GROUPS_AT_MOST = 2_000
"""Kinds of ends, or pairs of a plan and a model. The most frequent ones come first."""

TIMES_AT_MOST = 30_000
"""Different times to a first token, in all steps together."""

MODEL_ANSWERED = Q(sample="")
"""A sample answer costs nothing: no model was asked."""


def count_ends(period: Period) -> list[Ends]:
    """Count the answers of a period by block type, model and end, with their tokens."""
    timed = Q(status="complete", ttft_ms__isnull=False, output_tokens__gt=0) & MODEL_ANSWERED
    rows = (
        _begun_in(period)
        .annotate(end=Coalesce("code", Value("")))
        .values_list("block_type", "status", "end", "model")
        .annotate(
            **_USED,
            timed_tokens=_sum("output_tokens", timed),
            writing_ms=_sum(_WRITING_MS, timed),
        )
        .order_by("-answers", "block_type", "status", "end", "model")
    )
    return [
        Ends(slug, status, code, Used(*used), timed_tokens, writing_ms)
        for slug, status, code, *used, timed_tokens, writing_ms in rows[:GROUPS_AT_MOST]
    ]


def count_statuses(period: Period) -> list[Counter[str]]:
    """Count the answers of each step by their status."""
    rows = (
        _begun_in(period)
        .annotate(step=_step_of(period))
        .values_list("step", "status")
        .annotate(answers=Count("pk"))
    )
    steps: list[Counter[str]] = [Counter() for _ in period.edges[1:]]
    for number, status, count in rows:
        steps[number][status] = count
    return steps


def count_first_tokens(period: Period) -> list[Counter[int]]:
    """Count the times to a first token of each step, in ms.

    Times of 100 ms or more are rounded up to two digits (`1234` counts as `1300`), so that there
    are few of them: above ten seconds, to whole seconds. Up, because the page says "within". Sample
    answers are left out.
    """
    rows = (
        _begun_in(period)
        .filter(MODEL_ANSWERED, ttft_ms__isnull=False)
        .annotate(step=_step_of(period), time=_TIME)
        .values_list("step", "time")
        .annotate(answers=Count("pk"))
        .order_by("time")
    )
    steps: list[Counter[int]] = [Counter() for _ in period.edges[1:]]
    for number, ms, count in rows[:TIMES_AT_MOST]:
        steps[number][ms] += count
    return steps


def count_by_plan(period: Period) -> list[PlanUse]:
    """Count answers and tokens by group and model. An answer counts in each group of its user."""
    rows = _begun_in(period).annotate(
        is_anonymous=ExpressionWrapper(
            Q(user__isnull=True) & ~Q(owner__startswith=OUTSIDE_START), output_field=BooleanField()
        ),
        group=F("user__groups") if _has_groups() else Value(None, output_field=IntegerField()),
    )
    counted = (
        rows.values_list("group", "is_anonymous", "model")
        .annotate(**_USED)
        .order_by("-answers", "group", "model")
    )
    return [
        PlanUse(group_id, is_anonymous, Used(*used))
        for group_id, is_anonymous, *used in counted[:GROUPS_AT_MOST]
    ]


def count_of_owner(owner: str, period: Period) -> list[DayUse]:
    """Count an owner's answers and tokens by step, block type and model."""
    rows = (
        _begun_in(period)
        .filter(owner=owner)
        .annotate(day=_step_of(period))
        .values_list("day", "block_type", "model")
        .annotate(**_USED)
        .order_by("-day", "block_type", "model")
    )
    return [
        DayUse(day, block_type, Used(*used)) for day, block_type, *used in rows[:GROUPS_AT_MOST]
    ]


def count_unended() -> Counter[str]:
    """Count the answers that run or wait now, in all processes, by status."""
    rows = Stream.objects.filter(ended_at__isnull=True).order_by().values_list("status")
    return Counter(dict(rows.annotate(answers=Count("pk"))))


def _begun_in(period: Period) -> Any:
    """Return the rows of a period. Untyped: the checker knows no columns but the model's."""
    begun = Stream.objects.filter(created_at__gte=period.since, created_at__lt=period.until)
    return begun.order_by()


def _step_of(period: Period) -> Case:
    """Return the number of the step that a row is in. A comparison: SQLite has no truncation."""
    steps = enumerate(period.edges[1:])
    found = [When(created_at__lt=end, then=Value(number)) for number, end in steps]
    return Case(*found, output_field=IntegerField())


def _has_groups() -> bool:
    return any(field.name == "groups" for field in get_user_model()._meta.many_to_many)


def _sum(column: Any, condition: Q) -> Coalesce:
    return Coalesce(Sum(column, filter=condition, output_field=BigIntegerField()), 0)


def _rounded_up(column: str, step: int) -> Any:
    """Return the next whole number of steps. Integers divide without a remainder everywhere."""
    return (F(column) + Value(step - 1)) / Value(step) * Value(step)


_USED: dict[str, Any] = {
    "answers": Count("pk"),
    "failed": Count("pk", filter=Q(status="error")),
    "sum_of_input": _sum("input_tokens", MODEL_ANSWERED),
    "sum_of_output": _sum("output_tokens", MODEL_ANSWERED),
    "estimated": Count("pk", filter=Q(usage_is_estimated=True) & MODEL_ANSWERED),
}

_WRITING_MS = Cast(KT("terminal__duration_ms"), BigIntegerField()) - F("ttft_ms")

_TIME = Case(
    When(ttft_ms__lt=100, then=F("ttft_ms")),
    *(When(ttft_ms__lt=100 * step, then=_rounded_up("ttft_ms", step)) for step in (10, 100)),
    default=_rounded_up("ttft_ms", 1_000),
    output_field=IntegerField(),
)
