"""Says whether the preview's files are there, and what they are called."""

from __future__ import annotations

from django import template

from ..build import PREVIEW, is_built

register = template.Library()


@register.simple_tag
def block_preview_entry() -> str:
    """Return the entry of the preview in Vite's manifest; empty if the pages are not built."""
    return PREVIEW if is_built(PREVIEW) else ""
