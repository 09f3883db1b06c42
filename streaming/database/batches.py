"""Deletes rows in small batches.

Each batch is a short transaction, followed by a pause of the caller's, so that neither SQLite's
only write lock nor the thread is held for long. Several processes may delete the same rows
concurrently: each one skips rows that another has locked. Synchronous ORM.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

BATCH_ROWS = 100
"""A batch of 30 KB answers takes about 40 ms on SQLite."""

PAUSE_SECONDS = 0.05
"""Waiting writers poll for SQLite's write lock, so it must stay free for a while."""


def delete_some(rows: QuerySet[Any]) -> int:
    """Delete a batch of rows; return their number. Fewer than `BATCH_ROWS`: no free row is left.

    The signal of each deleted stream makes this process drop the stream's log and feed.
    """
    if not rows.exists():  # so that SQLite's write lock is taken only to write
        return 0
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:BATCH_ROWS])
        # The signals need only the key of a row.
        rows.model._default_manager.filter(pk__in=keys).only("pk").delete()
    return len(keys)
