"""`{% load liveai %}{% ai_block "quiz" prompt="The Moon" %}`: a block on a page of the host's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django_vite.core.asset_loader import DjangoViteAssetLoader

from ..defaults import VITE_APP
from ..places import base_path

register = template.Library()

ENTRY = "src/embed/embed.tsx"
"""The entry point in Vite's manifest. Its file runs once, however many blocks a page has."""


@register.inclusion_tag("liveai/ai_block.html", takes_context=True)
def ai_block(
    context: template.Context,
    block: str,
    *,
    prompt: str = "",
    options: Mapping[str, Any] | None = None,
    ask: bool = True,
) -> dict[str, Any]:
    """Show a block, which asks its prompt as soon as the page has loaded.

    The page needs no inline script or style, so a strict Content-Security-Policy allows it. A nonce
    of django-csp is used if there is one.

    Args:
        block: the slug of a block type.
        prompt: empty: the reader writes it.
        options: of the block type, by name.
        ask: False: the prompt is only the initial text. Each load of the page asks otherwise, with
            the visitor's limits.
    """
    return {
        "block": block,
        "prompt": prompt,
        "options": json.dumps(dict(options or {})),
        "asks": bool(ask and prompt),
        "base": base_path(),
        "files": _files(context),
    }


def _files(context: template.Context) -> SafeString:
    nonce = getattr(context.get("request"), "csp_nonce", None)
    attributes = {} if nonce is None else {"nonce": str(nonce)}
    tags = DjangoViteAssetLoader.instance().generate_vite_asset(ENTRY, app=VITE_APP, **attributes)
    return mark_safe(tags)  # its addresses come from the manifest of our own build
