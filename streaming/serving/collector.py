"""Garbage collection that spares the streams: small steps, and full ones in quiet moments.

A full collection stops every stream while it traverses all objects: 60 ms with a thousand streams.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

YOUNG_OBJECTS = 5_000
"""Net allocations between two collections of the youngest generation: 2 ms each."""

MIDDLE_EVERY = 5
"""Collections of the youngest generation for one of the middle generation: 8 ms each."""

NEVER = 1_000_000_000
"""Collections of the middle generation for a full one: left to `tick`."""

GROWN = 20
"""Collections of the middle generation before a full one is worth its time: 500,000 objects."""

QUIET_SHARE = 0.2
"""A process is quiet if it uses less than this share of a core."""

LATEST_SECONDS = 600.0
"""How long a full collection waits for a quiet moment."""


class Collector:
    """Decides when all objects are collected. Call `begin` when everything is loaded.

    Args:
        now: seconds, monotonic.
        cpu: the CPU time that this process has used, in seconds.
        collected: returns how often the middle generation was collected.
        collect: collects all objects.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
        collected: Callable[[], int] = lambda: int(gc.get_stats()[1]["collections"]),
        collect: Callable[[], Any] = gc.collect,
    ) -> None:
        self._now = now
        self._cpu = cpu
        self._collected = collected
        self._collect = collect
        self._looked_at, self._used = now(), cpu()
        self._full_at, self._middle_then = now(), collected()

    def begin(self) -> None:
        """Leave out all objects loaded so far, and collect in small steps from now on."""
        self._full()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, MIDDLE_EVERY, NEVER)

    def tick(self) -> None:
        """Collect all objects if that is due. Call about once a second."""
        now, used = self._now(), self._cpu()
        elapsed = now - self._looked_at
        share = (used - self._used) / elapsed if elapsed > 0 else 1.0
        self._looked_at, self._used = now, used
        if self._collected() - self._middle_then < GROWN:
            return
        if share < QUIET_SHARE or now - self._full_at >= LATEST_SECONDS:
            self._full()

    def _full(self) -> None:
        self._collect()
        self._full_at, self._middle_then = self._now(), self._collected()
