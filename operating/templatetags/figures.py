"""How figures are written in the pages of operators."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def seconds(ms: int | None) -> str:
    """Write a time as `0.034 s`, `0.34 s`, `2.1 s` or `48 s`; a dash if there is none."""
    if ms is None:
        return "–"
    places = 3 if ms < 100 else 2 if ms < 1_000 else 1 if ms < 10_000 else 0
    return f"{ms / 1000:.{places}f} s"
