"""Tells a web process that does not generate whether any worker is alive."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from ..errors import Refused
from ..models import ServerProcess
from .liveness import DEAD_AFTER_SECONDS

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""How long starts queue without a live worker. A restart of the workers takes less."""

RETRY_SECONDS = 10.0


def look_at_workers() -> list[str]:
    """Return what each worker with a recent heartbeat, by the database's clock, says of its model.

    Synchronous ORM.
    """
    alive = timedelta(seconds=DEAD_AFTER_SECONDS)
    workers = ServerProcess.objects.filter(is_worker=True)
    living = workers.annotate(silent_for=Now() - F("beat_at")).filter(silent_for__lte=alive)
    return list(living.values_list("model_trouble", flat=True))


class WorkerWatch:
    """Receives every few seconds what each live worker says of its model.

    Args:
        now: seconds, monotonic.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._seen_at = now()
        self._is_missing = False
        self.model_trouble = ""
        """What a worker last said to be wrong with the configured model; empty: nothing."""

    @property
    def are_there(self) -> bool:
        """False when no worker has been seen for `PATIENCE_SECONDS`."""
        return self._now() - self._seen_at < PATIENCE_SECONDS

    def note(self, workers: Sequence[str]) -> None:
        self.model_trouble = next(filter(None, workers), "")
        if workers:
            self._seen_at = self._now()
            if self._is_missing:
                logger.warning("A worker is alive again: answers are generated.")
            self._is_missing = False
        elif not self.are_there and not self._is_missing:
            self._is_missing = True
            logger.warning("No worker is alive: starts are refused. Start one: manage.py work")

    def require(self) -> None:
        """Refuse a start while no worker is alive.

        Raises:
            Refused: `over_capacity`: no worker would take the stream.
        """
        if not self.are_there:
            message = "Answers can't be generated right now."
            raise Refused("over_capacity", message, retry_after_seconds=RETRY_SECONDS)
