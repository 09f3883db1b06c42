"""Deletes failed sign-ins that no longer count, where their limits are ours (sign_in.py)."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.utils import timezone

HANDLER = "streaming.access.sign_in.SignInHandler"


def forget_old_attempts() -> None:
    """Delete the failures that no longer count. Does nothing in a host with limits of its own."""
    if not apps.is_installed("axes") or settings.AXES_HANDLER != HANDLER:
        return
    from axes.models import (
        AccessAttempt,
    )  # on demand: only an installed app's models can be imported

    old = timezone.now() - timedelta(seconds=settings.LIMIT_SIGN_IN_SECONDS)
    AccessAttempt.objects.filter(attempt_time__lt=old).delete()
