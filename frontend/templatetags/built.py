"""The scripts of the build, for pages that also work without them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import mark_safe
from django_vite.core.asset_loader import DjangoViteAssetLoader
from django_vite.core.exceptions import DjangoViteAssetNotFoundError

register = template.Library()


@register.simple_tag(takes_context=True)
def script_if_built(context: Any, entry: str) -> str:
    """Return the tags of an entry point with its styles; empty if the pages are not built."""
    nonce = context["request"].csp_nonce
    try:
        tags: str = DjangoViteAssetLoader.instance().generate_vite_asset(entry, nonce=nonce)
    except DjangoViteAssetNotFoundError:
        return ""
    return mark_safe(tags)  # its addresses come from the manifest of our own build
