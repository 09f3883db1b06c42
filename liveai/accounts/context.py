"""What the accounts' templates know on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from frontend.build import fonts_url


def accounts(request: HttpRequest) -> dict[str, Any]:
    """Whether to offer a sign-up to everybody, whether it takes an invitation, and the fonts."""
    return {
        "can_sign_up": settings.SIGN_UP == "open",
        "needs_invitation": settings.SIGN_UP == "invitation",
        "fonts_url": fonts_url,  # called only where a template asks for it
    }
