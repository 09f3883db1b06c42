"""The admin of prices."""

from __future__ import annotations

from django.contrib import admin

from .models import ModelPrice


@admin.register(ModelPrice)
class ModelPriceAdmin(admin.ModelAdmin):
    list_display = ("model", "input_price", "output_price", "currency")
    search_fields = ("model",)
