"""Checks that read the database: `manage.py migrate` and `check --database default` run them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError
from django.utils import timezone

from .generating.liveness import DEAD_AFTER_SECONDS
from .models import ServerProcess


@register(Tags.database)
def check_company(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that several processes have a Redis. No setting tells their number; their rows do."""
    if settings.REDIS_URL or "default" not in (databases or ()):
        return []
    alive_since = timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    try:
        alive = ServerProcess.objects.using("default").filter(beat_at__gte=alive_since).count()
    except DatabaseError:  # before the first migration
        return []
    if alive < 2:
        return []
    return [
        Warning(
            f"REDIS_URL is empty, but {alive} processes use this database: they share no events and"
            " limits.",
            hint="Set REDIS_URL, or run one process.",
            id="streaming.W005",
        )
    ]
