"""What would happen to a visitor's next start, and how much of each limit is used."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from ..errors import Refused
from ..limits import Subjects, Whose
from .places import find_full
from .rates import StartRates
from .spending import find_spent
from .usage import Use, token_limits, use_of


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit: how much of it is used, of how much."""

    whose: Whose
    what: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Forecast:
    gauges: list[Gauge]
    refusal: Refused | None  # None: a start would be accepted


def gauges_of_rows(subjects: Subjects) -> list[Gauge]:
    """Return the limits of running streams and of tokens, with those that are reserved.

    Synchronous ORM.
    """
    found = []
    for subject, use in zip(subjects, _use_of(subjects), strict=True):
        if limit := subject.allowance.running:
            found.append(Gauge(subject.whose, "running answers", use.places, limit))
        for period, limit in token_limits(subject.allowance):
            found.append(Gauge(subject.whose, f"tokens per {period}", use.tokens(period), limit))
    return found


def refusal_by_rows(subjects: Subjects, needed: int) -> Refused | None:
    """Return the refusal of a start that may use `needed` tokens; None: accepted.

    Synchronous ORM.
    """
    uses = _use_of(subjects)
    full = find_full(subjects, uses, without=()) or find_spent(subjects, uses, needed)
    return None if full is None else full.refusal()


def _use_of(subjects: Subjects) -> list[Use]:
    with connection.cursor() as cursor:
        return use_of(cursor, subjects, timezone.now())


async def gauges_of_rates(rates: StartRates, subjects: Subjects) -> list[Gauge]:
    """Return the limits of starts."""
    return [
        Gauge(whose, f"starts per {span}", count, limit)
        for whose, span, count, limit in await rates.started(subjects)
    ]


async def refusal_by_rates(rates: StartRates, subjects: Subjects) -> Refused | None:
    """Return the refusal of a start by its rate; None: accepted."""
    try:
        await rates.check(subjects)
    except Refused as refused:
        return refused
    return None
