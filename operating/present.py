"""What happens now, in all processes, by their rows and those of the answers.

Synchronous ORM.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Sum
from django.db.models.functions import Now

from streaming.generating.liveness import DEAD_AFTER_SECONDS
from streaming.models import ServerProcess

from .counting import count_unended


@dataclass(frozen=True, slots=True)
class Present:
    running: int
    waiting: int
    viewers: int  # each process's of its last heartbeat: at most some seconds old
    processes: int  # web processes and workers


def look_around() -> Present:
    """Return what happens now. Two queries."""
    unended = count_unended()
    alive = Now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    living = ServerProcess.objects.filter(beat_at__gte=alive)
    counted = living.aggregate(processes=Count("pk"), viewers=Sum("viewers", default=0))
    return Present(unended["running"], unended["queued"], **counted)
