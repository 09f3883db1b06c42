"""What the accounts' templates know on every page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sign_up(request: HttpRequest) -> dict[str, bool]:
    """Whether to offer a sign-up to everybody, and whether it takes an invitation."""
    mode = settings.SIGN_UP
    return {"can_sign_up": mode == "open", "needs_invitation": mode == "invitation"}
