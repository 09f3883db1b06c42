"""What tokens cost, by the prices of models: an estimate, as services may charge for more.

A sum never mixes currencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

PER_TOKENS = 1_000_000
"""Prices are for so many tokens, as services state them."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model, for a million tokens."""

    input: Decimal
    output: Decimal
    currency: str

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (self.input * input_tokens + self.output * output_tokens) / PER_TOKENS


Prices = Mapping[str, Price]
"""By the model's name, as streams have it."""


@dataclass(slots=True)
class Usage:
    """Answers, their tokens, and what these cost."""

    answers: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: int = 0  # answers whose service did not report its whole usage
    cost: dict[str, Decimal] = field(default_factory=dict)  # by currency
    unpriced: int = 0  # tokens of models without a price

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def add(self, other: Usage) -> None:
        """Add what others used. Both keep their own costs."""
        self.answers += other.answers
        self.failed += other.failed
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.estimated += other.estimated
        self.unpriced += other.unpriced
        for currency, amount in other.cost.items():
            self.cost[currency] = self.cost.get(currency, Decimal(0)) + amount

    def charge(self, model: str, prices: Prices) -> None:
        """Set the cost of tokens that were all of one model."""
        price = prices.get(model)
        if price is None:
            self.unpriced = self.tokens
        elif self.tokens:
            self.cost = {price.currency: price.of(self.input_tokens, self.output_tokens)}

    @property
    def cost_words(self) -> str:
        """The cost as people read it: `1.24 USD`, `0.50 EUR + 1.24 USD`, or a dash: no price."""
        amounts = [f"{_rounded(self.cost[name])} {name}" for name in sorted(self.cost)]
        return " + ".join(amounts) or "–"


def total_of(usages: Iterable[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total.add(usage)
    return total


def _rounded(amount: Decimal) -> str:
    """Round to cents; less than ten cents, to hundredths of one."""
    places = Decimal("0.01") if amount >= Decimal("0.1") or not amount else Decimal("0.0001")
    if 0 < amount < places / 2:
        return f"< {places}"
    return f"{amount.quantize(places, ROUND_HALF_UP):,}"
