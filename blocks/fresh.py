"""A value from the database, read again when it is half a second old or this process changes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, models, transaction
from django.db.models.signals import ModelSignal, post_delete, post_save

FRESH_SECONDS = 0.5
"""Maximum age: a change in the admin applies in every process within a second."""

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

post_update = ModelSignal()
"""Sent by `FollowedQuerySet.update`: Django's own signals come from single rows only."""


class FollowedQuerySet(models.QuerySet[M]):
    """Rows that `Fresh.follow` follows, also when they are updated together."""

    def update(self, **columns: Any) -> int:
        count = super().update(**columns)
        post_update.send(self.model, using=self.db)
        return count


class Fresh(Generic[T]):
    """Caches what `read` returns, for all threads. Synchronous ORM.

    While the database is unreachable, the last value is kept.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known: tuple[T, float] | None = None  # the value, and when it was read (monotonic)
        self._changes = 0

    def get(self) -> T:
        """Return the value.

        Raises:
            DatabaseError, InterfaceError: there is no value yet, and the database is unreachable.
        """
        with self._lock:
            known, changes = self._known, self._changes
        now = time.monotonic()
        if known is not None and now - known[1] < FRESH_SECONDS:
            return known[0]
        try:
            value = self._read()
        except (DatabaseError, InterfaceError):
            if known is None:
                raise
            value = known[0]
        with self._lock:
            if changes == self._changes:  # else it may have been read before the change
                self._known = (value, now)
        return value

    def clear(self, **_: Any) -> None:
        """Make the next `get` read again."""
        with self._lock:
            self._known = None
            self._changes += 1

    def follow(self, model: type[models.Model]) -> None:
        """Clear whenever this process saves, updates or deletes rows of a model. Idempotent."""
        for signal in (post_save, post_delete, post_update):
            signal.connect(self._changed, sender=model, dispatch_uid=("fresh", id(self)))

    def _changed(self, using: str, **_: Any) -> None:
        self.clear()
        transaction.on_commit(self.clear, using=using)  # others see the change only now
