"""What goes once it is old: wishes to cancel, expired sessions, ended streams.

Rows go in small batches, each a short transaction with a pause after it, so that neither SQLite's
one write lock nor the thread is held for long, however many rows there are. Several processes may
do it at once: each takes rows that no other holds.
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

from ..models import CancelIntent, Stream
from .store import CANCEL_INTENT_SECONDS
from .thread import DatabaseThread

BATCH_ROWS = 100
"""A batch of answers of 30 KB takes some 40 ms on SQLite."""

PAUSE_SECONDS = 0.05
"""Who waits for SQLite's write lock asks for it again and again: it must be free for a while."""


async def tidy(db: DatabaseThread) -> None:
    """Delete all that is old. Safe to cancel: the batch under way is carried out."""
    steps: list[Callable[[], bool]] = [clear_intents, clear_sessions, clear_streams]
    for step in steps:
        while await db.run(step):  # noqa: ASYNC110 (it works, and does not wait)
            await asyncio.sleep(PAUSE_SECONDS)


def clear_intents() -> bool:
    """Delete a batch of wishes to cancel that no start came for. True: there may be more."""
    before = timezone.now() - timedelta(seconds=CANCEL_INTENT_SECONDS)
    return _delete_some(CancelIntent.objects.filter(created_at__lt=before).order_by("created_at"))


def clear_sessions() -> bool:
    """Delete a batch of expired sessions. True: there may be more.

    Engines that keep no rows clear what they have in their own way, in one go.
    """
    engine: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if not issubclass(engine, DatabaseSessions):
        engine.clear_expired()
        return False
    sessions = engine.get_model_class().objects.filter(expire_date__lt=timezone.now())
    return _delete_some(sessions.order_by("expire_date"))


def clear_streams() -> bool:
    """Delete a batch of streams that ended `STREAM_RETENTION_DAYS` ago. True: there may be more.

    The signal of each row makes this process let go of its log and feed.
    """
    if not settings.STREAM_RETENTION_DAYS:
        return False
    before = timezone.now() - timedelta(days=settings.STREAM_RETENTION_DAYS)
    return _delete_some(Stream.objects.filter(ended_at__lt=before).order_by("ended_at"))


def _delete_some(rows: QuerySet[Any]) -> bool:
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:BATCH_ROWS])
        # The signals need a row's key alone, not its text.
        rows.model._default_manager.filter(pk__in=keys).only("pk").delete()
    return len(keys) == BATCH_ROWS
