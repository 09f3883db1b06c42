"""The filters of the list of streams. Django's own would read all rows for the values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from blocks.models import BlockType

from ..models import STATUSES, Stream

CODES_OF_NEWEST = 1_000
"""How many of the newest streams the filter of codes looks at for its choices."""

CHARS_AT_MOST = 80


class _Exactly(admin.SimpleListFilter):
    """Filters by one value of the column that the parameter names, which may be no choice."""

    parameter_name: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")[:CHARS_AT_MOST]
        choices = dict(self.choices_of())
        if chosen:
            choices.setdefault(chosen, chosen)
        return list(choices.items())

    def choices_of(self) -> Iterable[tuple[str, str]]:
        """Return the values to choose from, with their names."""
        return ()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stream]) -> QuerySet[Stream]:
        value = self.value()
        return queryset if not value else queryset.filter(**{self.parameter_name: value})


class StatusFilter(_Exactly):
    title = parameter_name = "status"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        return zip(STATUSES, STATUSES, strict=True)


class CodeFilter(_Exactly):
    """Offers the codes with which the newest streams ended."""

    title = parameter_name = "code"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        newest = Stream.objects.order_by("-created_at", "-id").values_list("code", flat=True)
        codes = sorted({code for code in newest[:CODES_OF_NEWEST] if code})
        return zip(codes, codes, strict=True)


class BlockTypeFilter(_Exactly):
    title, parameter_name = "block type", "block_type"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        return BlockType.objects.values_list("slug", "title")


class OwnerFilter(_Exactly):
    """Shows itself only while it filters: the cells of the list link to it."""

    title = parameter_name = "owner"
