"""Delete old rows: cancel intents, expired sessions, ended streams, counters of tokens, records of
what staff read. They go in small batches (`batches.py`); several processes may run this at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db.models import QuerySet
from django.utils import timezone

from ..admission.usage import first_day_kept
from ..models import CancelIntent, ListRead, TokenUse, TranscriptRead
from . import batches
from .old_answers import OldAnswers
from .store import CANCEL_INTENT_SECONDS
from .thread import DatabaseThread


async def tidy(db: DatabaseThread) -> None:
    """Delete all old rows. Safe to cancel: a batch in progress still completes."""
    steps: list[Callable[[], bool]] = [
        clear_intents,
        clear_sessions,
        OldAnswers().delete_some,
        clear_counters,
        clear_reads,
    ]
    for step in steps:
        while await db.run(step):  # noqa: ASYNC110 (not polling: each call does work)
            await asyncio.sleep(batches.PAUSE_SECONDS)


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


def clear_counters() -> bool:
    """Delete a batch of the counters of days before the last month. True: there may be more."""
    old = TokenUse.objects.filter(day__lt=first_day_kept(timezone.now()))
    return _delete_some(old.order_by("day"))


def clear_reads() -> bool:
    """Delete a batch of each kind of records of what staff read, `AUDIT_RETENTION_DAYS` after that.

    True: there may be more.
    """
    if not settings.AUDIT_RETENTION_DAYS:
        return False
    before = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    kinds: tuple[type[TranscriptRead | ListRead], ...] = (TranscriptRead, ListRead)
    more = [_delete_some(kind.objects.filter(at__lt=before).order_by("at")) for kind in kinds]
    return any(more)


def _delete_some(rows: QuerySet[Any]) -> bool:
    return batches.delete_some(rows) == batches.BATCH_ROWS
