"""What Vite has built, as far as Django must know: is it there, and if not, why.

It is read once, when the process starts: a new build is seen after a restart.
"""

from __future__ import annotations

from django.conf import settings
from django_vite.core.asset_loader import DjangoViteAssetLoader
from django_vite.core.exceptions import DjangoViteAssetNotFoundError

ENTRY = "src/pages/main.tsx"
"""Where the pages' program begins; its name in Vite's manifest."""


def is_built() -> bool:
    """Whether the manifest was there and names everything that a page begins with."""
    try:
        DjangoViteAssetLoader.instance().generate_vite_asset(ENTRY)
    except DjangoViteAssetNotFoundError:
        return False
    return True


def failure() -> str:
    """Why the last build failed, in the words of `scripts/_pages`; empty: it did not."""
    try:
        words: str = settings.FRONTEND_FAILURE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return words.strip()
