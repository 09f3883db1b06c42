"""The dashboard's periods: aligned steps that cover what their name says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from operating.periods import PERIODS, days_of_two_months, floor

NOW = datetime(2026, 11, 30, 14, 7, 31, tzinfo=UTC)


@pytest.mark.parametrize(("name", "span"), [("hour", 1), ("day", 24), ("week", 7 * 24)])
def test_a_period_covers_its_span_up_to_now_in_whole_steps(name: str, span: int) -> None:
    period = PERIODS[name](NOW)
    hours = timedelta(hours=span)
    assert NOW - hours - period.step < period.since <= NOW - hours
    assert NOW < period.until <= NOW + period.step
    edges = period.edges
    assert (edges[0], edges[-1]) == (period.since, period.until)
    assert {after - before for before, after in pairwise(edges)} == {period.step}
    assert 13 <= len(edges) <= 30
    assert all(floor(edge, period.step) == edge for edge in edges)


def test_a_period_says_what_it_covers() -> None:
    assert PERIODS["hour"](NOW).span_words == "Mon 30 Nov, 13:05–14:10 UTC"
    assert PERIODS["day"](NOW).span_words == "Sun 29 Nov, 14:00 – Mon 30 Nov, 15:00 UTC"


def test_yesterday_is_a_whole_day() -> None:
    period = PERIODS["yesterday"](NOW)
    assert period.since == datetime(2026, 11, 29, tzinfo=UTC)
    assert period.until == datetime(2026, 11, 30, tzinfo=UTC)
    assert period.words_of(23) == "Sun 29 Nov, 23:00–00:00"


def test_the_days_of_two_months_reach_from_the_first_of_last_month_to_today() -> None:
    period = days_of_two_months(datetime(2027, 1, 2, 3, tzinfo=UTC))
    assert period.since == datetime(2026, 12, 1, tzinfo=UTC)
    assert period.until == datetime(2027, 1, 3, tzinfo=UTC)
    assert period.words_of(31) == "Fri 1 Jan"
