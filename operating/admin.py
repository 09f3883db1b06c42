"""The admin of prices."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin

from .models import ModelPrice


@admin.register(ModelPrice)
class ModelPriceAdmin(admin.ModelAdmin):
    list_display = ("model", "input_words", "output_words", "currency")
    search_fields = ("model",)

    @admin.display(description="input price", ordering="input_price")
    def input_words(self, price: ModelPrice) -> str:
        return _plain(price.input_price)

    @admin.display(description="output price", ordering="output_price")
    def output_words(self, price: ModelPrice) -> str:
        return _plain(price.output_price)


def _plain(price: Decimal) -> str:
    """`0.25` instead of the `0.250000` of the column."""
    return f"{price.normalize():f}"
