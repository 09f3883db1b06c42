"""From what was counted to what the dashboard says. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .costs import Prices, Usage, total_of
from .counted import DayUse, Ends, PlanUse, Used
from .percentiles import percentile

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class End:
    """A way in which answers ended, or that they have not."""

    status: str
    code: str
    answers: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A period in a few figures."""

    total: Usage
    ends: list[End]  # failures first, and among alike ones the most frequent
    by_block: dict[str, Usage]  # those with most tokens first
    by_model: dict[str, Usage]
    by_plan: dict[tuple[int | None, bool], Usage]  # (group or None, whether nobody was signed in)
    p50_ms: int | None
    p95_ms: int | None
    tokens_per_second: float | None

    @property
    def failed_percent(self) -> float:
        return 100 * self.total.failed / self.total.answers if self.total.answers else 0.0


_ORDER = ("error", "cancelled", "complete", "running", "queued")


def summarize(
    ends: Sequence[Ends],
    plans: Iterable[PlanUse],
    first_tokens: Iterable[Counter[int]],
    prices: Prices,
) -> Summary:
    """Add up what was counted in one period."""
    times: Counter[int] = Counter()
    for step in first_tokens:
        times.update(step)
    timed_tokens = sum(each.timed_tokens for each in ends)
    writing_ms = sum(each.writing_ms for each in ends)
    return Summary(
        total=total_of(_usage_of(each.used, prices) for each in ends),
        ends=_ends_of(ends),
        by_block=_added_up(((each.block_type, each.used) for each in ends), prices),
        by_model=_added_up(((each.used.model, each.used) for each in ends), prices),
        by_plan=_added_up(
            (((each.group_id, each.is_anonymous), each.used) for each in plans), prices
        ),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        tokens_per_second=1000 * timed_tokens / writing_ms if writing_ms > 0 else None,
    )


def by_day(uses: Iterable[DayUse], prices: Prices) -> dict[int, Usage]:
    """Add up an owner's usage by the number of the day."""
    return _added_up(((each.day, each.used) for each in uses), prices)


def by_block(uses: Iterable[DayUse], prices: Prices) -> dict[str, Usage]:
    """Add up an owner's usage by block type, those with most tokens first."""
    return _added_up(((each.block_type, each.used) for each in uses), prices)


def _ends_of(ends: Iterable[Ends]) -> list[End]:
    counts: Counter[tuple[str, str]] = Counter()
    for each in ends:
        counts[each.status, each.code] += each.used.answers
    found = [End(status, code, answers) for (status, code), answers in counts.items()]
    return sorted(found, key=lambda end: (_ORDER.index(end.status), -end.answers, end.code))


def _added_up(uses: Iterable[tuple[K, Used]], prices: Prices) -> dict[K, Usage]:
    added: defaultdict[K, Usage] = defaultdict(Usage)
    for key, used in uses:
        added[key].add(_usage_of(used, prices))
    return dict(sorted(added.items(), key=lambda item: (-item[1].tokens, -item[1].answers)))


def _usage_of(used: Used, prices: Prices) -> Usage:
    usage = Usage(used.answers, used.failed, used.input_tokens, used.output_tokens, used.estimated)
    usage.charge(used.model, prices)
    return usage
