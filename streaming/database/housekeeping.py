"""Delete old rows: cancel intents, expired sessions, ended streams, counters of tokens.

Rows are deleted in small batches. Each batch is a short transaction followed by a pause, so that
neither SQLite's only write lock nor the thread is held for long. Several processes may run this
concurrently: each one skips rows that another has locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..admission.usage import first_day_kept
from ..models import CancelIntent, Stream, TokenUse
from .store import CANCEL_INTENT_SECONDS
from .thread import DatabaseThread

BATCH_ROWS = 100
"""A batch of 30 KB answers takes about 40 ms on SQLite."""

PAUSE_SECONDS = 0.05
"""Waiting writers poll for SQLite's write lock, so it must stay free for a while."""


async def tidy(db: DatabaseThread) -> None:
    """Delete all old rows. Safe to cancel: a batch in progress still completes."""
    steps: list[Callable[[], bool]] = [clear_intents, clear_sessions, clear_streams, clear_counters]
    for step in steps:
        while await db.run(step):  # noqa: ASYNC110 (not polling: each call does work)
            await asyncio.sleep(PAUSE_SECONDS)


def clear_intents() -> bool:
    """Delete a batch of cancel intents whose start never came. True: there may be more."""
    before = timezone.now() - timedelta(seconds=CANCEL_INTENT_SECONDS)
    return _delete_some(CancelIntent.objects.filter(created_at__lt=before).order_by("created_at"))


def clear_sessions() -> bool:
    """Delete a batch of expired sessions. True: there may be more.

    Session engines without rows clear all their expired sessions at once.
    """
    engine: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if not issubclass(engine, DatabaseSessions):
        engine.clear_expired()
        return False
    sessions = engine.get_model_class().objects.filter(expire_date__lt=timezone.now())
    return _delete_some(sessions.order_by("expire_date"))


def clear_streams() -> bool:
    """Delete a batch of streams that ended `STREAM_RETENTION_DAYS` ago. True: there may be more.

    The signal of each deleted row makes this process drop the stream's log and feed.
    """
    if not settings.STREAM_RETENTION_DAYS:
        return False
    before = timezone.now() - timedelta(days=settings.STREAM_RETENTION_DAYS)
    return _delete_some(Stream.objects.filter(ended_at__lt=before).order_by("ended_at"))


def clear_counters() -> bool:
    """Delete a batch of the counters of days before the last month. True: there may be more."""
    old = TokenUse.objects.filter(day__lt=first_day_kept(timezone.now()))
    return _delete_some(old.order_by("day"))


def _delete_some(rows: QuerySet[Any]) -> bool:
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:BATCH_ROWS])
        # The signals need only the key of a row.
        rows.model._default_manager.filter(pk__in=keys).only("pk").delete()
    return len(keys) == BATCH_ROWS
