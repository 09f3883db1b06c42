"""The block types in the admin panel."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models

from .models import BlockType
from .schemas import MAX_DEPTH, depth_of


class ShallowJSONField(forms.JSONField):
    """JSON nested no deeper than MAX_DEPTH. Django's own field raises RecursionError beyond."""

    def to_python(self, value: Any) -> Any:
        try:
            read = super().to_python(value)
        except RecursionError:
            read = None
            too_deep = True
        else:
            too_deep = depth_of(read) > MAX_DEPTH
        if too_deep:
            raise ValidationError(f"Nested more than {MAX_DEPTH} levels deep.", code="too_deep")
        return read

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return super().has_changed(initial, data)
        except RecursionError:
            return True

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return None


@admin.register(BlockType)
class BlockTypeAdmin(admin.ModelAdmin):
    list_display = ["title", "slug", "output", "model_name", "order", "enabled", "streaming"]
    list_editable = ["order", "enabled", "streaming"]
    list_filter = ["output", "enabled", "streaming"]
    search_fields = ["title", "slug", "description"]
    prepopulated_fields = {"slug": ["title"]}
    save_on_top = True
    formfield_overrides = {models.JSONField: {"form_class": ShallowJSONField}}
    fieldsets = [
        (None, {"fields": ["title", "slug", "description", "output", "enabled", "order"]}),
        (
            "Prompts",
            {
                "fields": ["system_prompt", "prompt_template", "example_prompt", "example_answer"],
                "description": "The model reads the system prompt, the worked example as one"
                " exchange, then the question.",
            },
        ),
        ("Schemas", {"fields": ["options_schema", "answer_schema"]}),
        ("Model", {"fields": ["model", "temperature", "max_tokens", "prompt_limit"]}),
        ("Delivery", {"fields": ["streaming", "on_abandon", "on_generator_lost"]}),
    ]

    @admin.display(description="model", ordering="model")
    def model_name(self, block: BlockType) -> str:
        return block.model or "as configured"
