"""The filters of the list of streams."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from blocks.models import BlockType

from ..models import Stream


class BlockTypeFilter(admin.SimpleListFilter):
    """Filters by existing block types; Django's own filter would read all streams for the names."""

    title = "block type"
    parameter_name = "block_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(BlockType.objects.values_list("slug", "title"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stream]) -> QuerySet[Stream]:
        slug = self.value()
        return queryset if slug is None else queryset.filter(block_type=slug)
