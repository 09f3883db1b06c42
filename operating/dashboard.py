"""The dashboard: what happens now, and the figures of a period with their links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from blocks.models import BlockType
from streaming.database.time_limit import statement_limit
from streaming.errors import Refused
from streaming.switches import read_switches

from . import charts, counting
from .costs import Usage
from .links import streams_url
from .models import read_prices
from .percentiles import percentile
from .periods import DEFAULT, HOUR, PERIODS, Period
from .present import look_around
from .summary import Summary, summarize
from .words import words_of

LIMIT_SECONDS = 5.0
"""For the figures. On PostgreSQL, for each of the queries."""

LISTED_AT_MOST = 30
"""Rows of a table. Those with the fewest tokens are added up in a last row."""

NO_GROUP = "No group"
ANONYMOUS = "Not signed in"

STACK = ("complete", "unended", "cancelled", "error")
"""What a column of the chart consists of, from the bottom up."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An end of answers, as long as it is frequent."""

    status: str
    code: str
    words: str
    answers: int
    percent: float  # of the longest bar
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of usage."""

    name: str
    usage: Usage
    url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the period: its column of the chart, and the same as numbers."""

    column: charts.Column
    words: str
    label: str  # below the chart; empty: none
    counts: dict[str, int]
    total: int
    p50_ms: int | None
    p95_ms: int | None
    url: str


def context_of(name: str, *, now: datetime | None = None) -> dict[str, Any]:
    """Return what the template shows. Synchronous ORM, with a bounded number of queries.

    Args:
        name: of a period; an unknown one is the default.
        now: the time to look back from.

    Returns:
        With `retry_seconds` and `trouble` instead of the figures of the period if the database took
        too long. What happens now is read before, and always there: it is needed most then.
    """
    period = PERIODS.get(name, PERIODS[DEFAULT])(now or timezone.now())
    context: dict[str, Any] = {
        "period": period,
        "present": look_around(),
        "is_paused": read_switches().paused,
        "streams_url": reverse("admin:streaming_stream_changelist"),
        "periods": [make(now or timezone.now()) for make in PERIODS.values()],
    }
    try:
        with statement_limit(LIMIT_SECONDS):
            return context | _figures(period)
    except Refused as refused:
        trouble = (
            "Too much to add up for now: the figures of this period are left out. Choose a shorter"
            " period, or try again in a moment."
        )
        return context | {"trouble": trouble, "retry_seconds": refused.retry_after_seconds}


def _figures(period: Period) -> dict[str, Any]:
    first_tokens = counting.count_first_tokens(period)
    summary = summarize(
        counting.count_ends(period), counting.count_by_plan(period), first_tokens, read_prices()
    )
    steps = _steps_of(period, counting.count_statuses(period), first_tokens)
    return {
        "summary": summary,
        "bars": _bars_of(period, summary),
        "steps": steps,
        "lines": charts.lines(
            [("p95", [step.p95_ms for step in steps]), ("p50", [step.p50_ms for step in steps])]
        ),
        "slowest_ms": max((step.p95_ms or 0 for step in steps), default=0),
        "most": max((step.total for step in steps), default=0),
        "chart": {"width": charts.WIDTH, "height": charts.HEIGHT},
        "tables": [
            ("By block", "Block", _blocks(period, summary)),
            ("By model", "Model", _cut(Row(*each) for each in summary.by_model.items())),
            ("By plan", "Group", _plans(summary)),
        ],
        "all_url": _url(period),
        "failed_url": _url(period, status="error"),
    }


def _url(period: Period, **filters: str) -> str:
    return streams_url(period.since, period.until, **filters)


def _bars_of(period: Period, summary: Summary) -> list[Bar]:
    lengths = charts.shares([end.answers for end in summary.ends])
    return [
        Bar(
            end.status,
            end.code,
            words_of(end.status, end.code),
            end.answers,
            percent,
            _url(period, status=end.status, code=end.code),
        )
        for end, percent in zip(summary.ends, lengths, strict=True)
    ]


def _steps_of(
    period: Period, statuses: list[Counter[str]], first_tokens: list[Counter[int]]
) -> list[Step]:
    counts = [
        {
            "complete": each["complete"],
            "unended": each["running"] + each["queued"],
            "cancelled": each["cancelled"],
            "error": each["error"],
        }
        for each in statuses
    ]
    columns = charts.columns([[(kind, each[kind]) for kind in STACK] for each in counts])
    edges = period.edges
    return [
        Step(
            column,
            period.words_of(number),
            _label_of(period, number),
            counts[number],
            sum(counts[number].values()),
            percentile(first_tokens[number], 50),
            percentile(first_tokens[number], 95),
            streams_url(edges[number], edges[number + 1]),
        )
        for number, column in enumerate(columns)
    ]


def _label_of(period: Period, number: int) -> str:
    """Return what is written below a step: days where there are several, else some of the times."""
    begin = period.edges[number]
    if period.step > HOUR:
        return f"{begin:%a}" if begin.hour == 0 else ""
    return f"{begin:%H:%M}" if number in charts.ticks(len(period.edges) - 1) else ""


def _blocks(period: Period, summary: Summary) -> list[Row]:
    titles = dict(BlockType.objects.values_list("slug", "title"))
    return _cut(
        Row(titles.get(slug, slug), usage, _url(period, block_type=slug))
        for slug, usage in summary.by_block.items()
    )


def _plans(summary: Summary) -> list[Row]:
    ids = [group_id for group_id, _ in summary.by_plan if group_id is not None]
    names = dict(Group.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return _cut(
        Row(
            ANONYMOUS if is_anonymous else names.get(group_id or 0, NO_GROUP),
            usage,
        )
        for (group_id, is_anonymous), usage in summary.by_plan.items()
    )


def _cut(rows: Iterable[Row]) -> list[Row]:
    listed = list(rows)
    if len(listed) <= LISTED_AT_MOST:
        return listed
    rest = Usage()
    for row in listed[LISTED_AT_MOST:]:
        rest.add(row.usage)
    return [*listed[:LISTED_AT_MOST], Row(f"{len(listed) - LISTED_AT_MOST} others", rest)]
