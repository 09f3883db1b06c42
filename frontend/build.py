"""Tells Django whether the pages are built, and if not, why.

The manifest is read once, when the process starts. A new build takes effect after a restart.
"""

from __future__ import annotations

from django.conf import settings
from django_vite.core.asset_loader import DjangoViteAssetLoader
from django_vite.core.exceptions import DjangoViteAssetNotFoundError

ENTRY = "src/pages/main.tsx"
"""The entry point of the pages, as named in Vite's manifest."""

PREVIEW = "src/admin/preview.tsx"
"""The entry point of the preview in the admin."""

FONTS = "src/look/fonts.css"
"""The styles that load the pages' fonts."""


def fonts_url() -> str:
    """Return the address of the fonts' styles; empty if the pages are not built."""
    try:
        url: str = DjangoViteAssetLoader.instance().generate_vite_asset_url(FONTS)
    except DjangoViteAssetNotFoundError:
        return ""
    return url


def is_built(entry: str = ENTRY) -> bool:
    """Whether the manifest exists and lists everything that the entry point needs."""
    try:
        DjangoViteAssetLoader.instance().generate_vite_asset(entry)
    except DjangoViteAssetNotFoundError:
        return False
    return True


def failure() -> str:
    """Return why the last build failed, as reported by `scripts/_pages`; empty if it succeeded."""
    try:
        words: str = settings.FRONTEND_FAILURE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return words.strip()
