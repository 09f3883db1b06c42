"""What happens now: answers and processes by their rows, viewers of this process alone.

Synchronous ORM.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from streaming.generating.liveness import DEAD_AFTER_SECONDS
from streaming.metrics.counted import VIEWERS
from streaming.models import ServerProcess

from .counting import count_unended


@dataclass(frozen=True, slots=True)
class Present:
    running: int  # in all processes
    waiting: int
    viewers: int  # of this process
    processes: int  # that can generate answers, workers included


def look_around() -> Present:
    """Return what happens now. Two queries."""
    unended = count_unended()
    alive = Now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    return Present(
        running=unended["running"],
        waiting=unended["queued"],
        viewers=viewers_here(),
        processes=ServerProcess.objects.filter(beat_at__gte=alive).count(),
    )


def viewers_here() -> int:
    """Count the viewers of this process, over both transports."""
    samples = (sample for metric in VIEWERS.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples))
