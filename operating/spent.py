"""What a user spent: tokens and their cost by day and by block, beside the limits that hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils import timezone

from blocks.models import BlockType
from streaming.access.named import users_named
from streaming.access.owners import user_owner
from streaming.access.visitor import Visitor
from streaming.admission import forecast
from streaming.admission.subjects import subjects_of
from streaming.admission.usage import day_of
from streaming.database.time_limit import statement_limit
from streaming.errors import Refused
from streaming.limits import Subjects
from streaming.models import Stream, TokenUse

from . import charts, counting
from .costs import Usage, total_of
from .dashboard import LIMIT_SECONDS, Row
from .links import streams_url
from .models import read_prices
from .periods import Period, days_of_two_months
from .summary import by_block, by_day

OWNER_KINDS = ("user:", "user-hash:", "anonymous:", "jwt:", "jwt-hash:")

WHOSE = {"owner": "the user", "group": "a group together"}
"""Whose limits the page shows. Those of everybody say nothing about one user."""


@dataclass(frozen=True, slots=True)
class Whom:
    """An owner of answers, with the user if it is one that still exists."""

    owner: str
    user: Any = None


class WhomForm(forms.Form):
    who = forms.CharField(
        label="User",
        max_length=254,
        strip=True,
        help_text="A user name, an e-mail address, or an owner as the list of streams shows it, "
        "e.g. user:12.",
    )

    def clean_who(self) -> Whom:
        return find(self.cleaned_data["who"])


@dataclass(frozen=True, slots=True)
class Day:
    words: str
    label: str  # below the chart; empty: none
    usage: Usage
    counted: int  # towards the limits
    column: charts.Column
    url: str

    @property
    def total(self) -> int:
        return self.usage.tokens


def find(words: str) -> Whom:
    """Find a user by name or e-mail address, or an owner by its key. Synchronous ORM.

    Raises:
        ValidationError: nobody has it, or several have the address.
    """
    if words.startswith(OWNER_KINDS):
        return _owner(words)
    found = users_named(words)
    if len(found) > 1:
        raise ValidationError("Several users have this address. Enter a user name.")
    if not found:
        raise ValidationError("User not found.")
    return Whom(user_owner(found[0].pk), found[0])


def _owner(owner: str) -> Whom:
    """Find an owner by its answers, which name the user, or a user by the key in the owner."""
    row = Stream.objects.filter(owner=owner).select_related("user").first()
    user = None if row is None else row.user
    kind, _, key = owner.partition(":")
    if user is None and kind == "user":
        user = _user_by_key(key)
    if row is None and user is None:
        raise ValidationError("This owner has no answers.")
    return Whom(owner, user)


def _user_by_key(key: str) -> Any:
    try:
        pk = get_user_model()._meta.pk.to_python(key)
        return get_user_model()._default_manager.filter(pk=pk).first()
    except (ValidationError, OverflowError):
        return None


def context_of(query: Any, *, now: datetime | None = None) -> dict[str, Any]:
    """Return what the template shows. Synchronous ORM.

    Args:
        query: the parameters of the request.
        now: the time to look back from.
    """
    form = WhomForm(query if "who" in query else None)
    context: dict[str, Any] = {"title": "What a user spent", "form": form}
    try:
        with statement_limit(LIMIT_SECONDS):
            if form.is_valid():
                whom: Whom = form.cleaned_data["who"]
                return context | {"whom": whom} | _figures(whom, now or timezone.now())
    except Refused as refused:
        context["trouble"] = refused.message
    return context


def _figures(whom: Whom, now: datetime) -> dict[str, Any]:
    period = days_of_two_months(now)
    uses = counting.count_of_owner(whom.owner, period)
    prices = read_prices()
    days = by_day(uses, prices)
    today = len(period.edges) - 2
    first = next(n for n, edge in enumerate(period.edges) if edge.month == now.month)
    subjects = subjects_of(_visitor(whom))
    titles = dict(BlockType.objects.values_list("slug", "title"))
    return {
        "spans": [
            ("Today", days.get(today, Usage())),
            ("This month", total_of(use for day, use in days.items() if day >= first)),
            ("Last month", total_of(use for day, use in days.items() if day < first)),
        ],
        "days": _days(whom, period, days, _counted(subjects, period)),
        "blocks": [
            Row(
                titles.get(slug, slug),
                usage,
                streams_url(period.since, period.until, block_type=slug, owner=whom.owner),
            )
            for slug, usage in by_block(uses, prices).items()
        ],
        "gauges": [
            (WHOSE[gauge.whose], gauge, min(100.0, round(100 * gauge.used / gauge.limit, 1)))
            for gauge in forecast.gauges_of_rows(subjects)
            if gauge.whose in WHOSE
        ],
        "chart": {"width": charts.WIDTH, "height": charts.HEIGHT},
        "most": max((usage.tokens for usage in days.values()), default=0),
    }


def _days(
    whom: Whom, period: Period, days: Mapping[int, Usage], counted: Mapping[str, int]
) -> list[Day]:
    """Return every day of the period, the oldest first."""
    edges = period.edges
    uses = [days.get(number, Usage()) for number in range(len(edges) - 1)]
    labelled = charts.ticks(len(uses))
    columns = charts.columns([[("tokens", usage.tokens)] for usage in uses])
    return [
        Day(
            period.words_of(number),
            f"{edges[number].day} {edges[number]:%b}" if number in labelled else "",
            usage,
            counted.get(day_of(edges[number]), 0),
            columns[number],
            streams_url(edges[number], edges[number + 1], owner=whom.owner),
        )
        for number, usage in enumerate(uses)
    ]


def _counted(subjects: Subjects, period: Period) -> dict[str, int]:
    """Return the tokens that count towards the limits, by day. Deleted answers count as well."""
    keys = [subject.key for subject in subjects if subject.whose == "owner"]
    rows = TokenUse.objects.filter(subject__in=keys, day__gte=day_of(period.since))
    return dict(rows.order_by().values_list("day").annotate(Sum("tokens")))


def _visitor(whom: Whom) -> Visitor:
    return Visitor(whom.owner, None if whom.user is None else whom.user.pk, None)
