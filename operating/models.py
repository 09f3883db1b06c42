"""Stored data of the site's operators: the prices of models."""

from __future__ import annotations

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from .costs import Price


class ModelPrice(models.Model):
    """What a model's tokens cost. The dashboard estimates costs by today's price."""

    model = models.CharField(
        max_length=200,
        unique=True,
        help_text="The model’s name, as answers show it, e.g. <code>gpt-5-mini</code>.",
    )
    input_price = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        validators=[MinValueValidator(0)],
        help_text="For 1,000,000 tokens of prompts.",
    )
    output_price = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        validators=[MinValueValidator(0)],
        help_text="For 1,000,000 tokens of answers.",
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Three capital letters, e.g. USD.")],
        help_text="Three letters, e.g. USD. Costs in different currencies are not added up.",
    )

    class Meta:
        ordering = ["model"]
        verbose_name = "price of a model"
        verbose_name_plural = "prices of models"

    def __str__(self) -> str:
        return self.model


PRICES_AT_MOST = 1_000


def read_prices() -> dict[str, Price]:
    """Return the prices by the model's name. One query."""
    rows = ModelPrice.objects.all()[:PRICES_AT_MOST]
    return {row.model: Price(row.input_price, row.output_price, row.currency) for row in rows}
