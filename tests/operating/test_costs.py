"""Costs and percentiles, and sums of what was counted."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from operating.costs import Price, Usage, total_of
from operating.counted import DayUse, Ends, PlanUse, Used
from operating.percentiles import percentile
from operating.summary import by_block, by_day, summarize

PRICES = {
    "openai:a": Price(Decimal("0.25"), Decimal("2"), "USD"),
    "openai:b": Price(Decimal(1), Decimal(1), "EUR"),
}


def used(model: str, tokens: tuple[int, int], answers: int = 1, failed: int = 0) -> Used:
    return Used(model, answers, failed, *tokens, 0)


def charged(model: str, *tokens: int) -> Usage:
    usage = Usage(1, 0, *tokens)
    usage.charge(model, PRICES)
    return usage


def test_tokens_cost_what_their_direction_costs() -> None:
    usage = charged("openai:a", 1_000_000, 500_000)
    assert usage.cost == {"USD": Decimal("1.25")}
    assert usage.cost_words == "1.25 USD"


def test_currencies_are_not_added_up() -> None:
    total = total_of([charged("openai:a", 0, 10**6), charged("openai:b", 10**6, 0)])
    assert total.cost_words == "1.00 EUR + 2.00 USD"
    assert (total.answers, total.tokens) == (2, 2_000_000)


def test_a_model_without_a_price_costs_nothing_that_is_known() -> None:
    usage = charged("local:x", 3, 4)
    assert (usage.cost, usage.unpriced, usage.cost_words) == ({}, 7, "–")
    assert charged("openai:a", 0, 0).cost == {}


def test_sums_leave_what_they_add_alone() -> None:
    one = charged("openai:a", 0, 10**6)
    total_of([one, one])
    assert one.cost == {"USD": Decimal(2)}


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (600_000_000, "1,200.00 USD"),
        (50_000, "0.10 USD"),
        (5_000, "0.0100 USD"),
        (10, "< 0.0001 USD"),
    ],
)
def test_small_amounts_have_more_digits(tokens: int, words: str) -> None:
    assert charged("openai:a", 0, tokens).cost_words == words


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([], 50, None),
        ([7], 50, 7),
        ([7], 95, 7),
        ([1, 2, 3, 4], 50, 2),
        (list(range(1, 101)), 95, 95),
        ([1] * 95 + [9] * 5, 95, 1),
        ([1] * 94 + [9] * 6, 95, 9),
        ([0, 0, 5], 50, 0),
    ],
)
def test_a_percentile_is_a_value_that_occurs(
    values: list[int], percent: int, found: int | None
) -> None:
    assert percentile(Counter(values), percent) == found


def test_a_period_in_a_few_figures() -> None:
    ends = [
        Ends("quiz", "complete", "stop", used("openai:a", (10, 90), 8), 80, 4_000),
        Ends("quiz", "error", "internal", used("local:x", (5, 0), 1, 1), 0, 0),
        Ends("tale", "error", "provider_timeout", used("openai:a", (5, 0), 2, 2), 0, 0),
        Ends("tale", "error", "internal", used("openai:a", (5, 0), 2, 2), 0, 0),
        Ends("tale", "cancelled", "owner", used("openai:a", (1, 1)), 0, 0),
        Ends("tale", "running", "", used("openai:a", (0, 0)), 0, 0),
    ]
    plans = [
        PlanUse(3, False, used("openai:a", (1, 1), 4)),
        PlanUse(3, False, used("local:x", (1, 1), 4)),
        PlanUse(None, True, used("local:x", (9, 9), 4)),
    ]
    summary = summarize(ends, plans, [Counter({100: 19}), Counter({900: 1})], PRICES)
    assert [(end.status, end.code, end.answers) for end in summary.ends] == [
        ("error", "internal", 3),
        ("error", "provider_timeout", 2),
        ("cancelled", "owner", 1),
        ("complete", "stop", 8),
        ("running", "", 1),
    ]
    assert (summary.total.answers, summary.total.failed) == (15, 5)
    assert summary.failed_percent == pytest.approx(33.3, abs=0.1)
    assert (summary.p50_ms, summary.p95_ms) == (100, 100)
    assert summary.tokens_per_second == 20.0
    assert list(summary.by_block) == ["quiz", "tale"]
    assert list(summary.by_model) == ["openai:a", "local:x"]
    assert summary.by_model["local:x"].unpriced == 5
    assert list(summary.by_plan) == [(None, True), (3, False)]
    assert summary.by_plan[3, False].answers == 8


def test_a_period_without_answers_has_no_rates() -> None:
    summary = summarize([], [], [Counter()], PRICES)
    assert (summary.failed_percent, summary.p50_ms, summary.tokens_per_second) == (0.0, None, None)


def test_an_owners_usage_by_day_and_by_block() -> None:
    uses = [
        DayUse(3, "quiz", used("openai:a", (1, 2))),
        DayUse(3, "tale", used("local:x", (5, 5))),
        DayUse(4, "quiz", used("openai:a", (10, 20))),
    ]
    assert {day: usage.tokens for day, usage in by_day(uses, PRICES).items()} == {3: 13, 4: 30}
    assert [(name, usage.tokens) for name, usage in by_block(uses, PRICES).items()] == [
        ("quiz", 33),
        ("tale", 10),
    ]
