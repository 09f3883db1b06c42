"""How fast a core is just now: the CPU time of a fixed piece of work, asked for again and again.

Machines that share their processors with others do the same work now in half of the time, now in
twice of it, and what the kernel counts as CPU time goes up and down with that. What is measured at
different moments is compared in pieces of this work instead of seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import SynchronizedArray

EVERY_SECONDS = 0.03  # some 2 % of a core
START_SECONDS = 10.0

Counts = SynchronizedArray  # pieces done, and ns of CPU that they took


class Pace:
    """The work of one core. `pieces` and `seconds` grow while it runs."""

    def __init__(self, counts: Counts[int]) -> None:
        self._counts = counts

    def mark(self) -> tuple[int, float]:
        """Pieces so far, and the CPU seconds that they took."""
        with self._counts.get_lock():
            return self._counts[0], self._counts[1] / 1e9


def seconds_per_piece(begin: tuple[int, float], end: tuple[int, float]) -> float:
    """Of the work done between two marks. There must be some."""
    return (end[1] - begin[1]) / (end[0] - begin[0])


@contextmanager
def running_pace(core: int | None) -> Iterator[Pace]:
    """A process that works on a core, or on any."""
    spawning = multiprocessing.get_context("spawn")
    counts = spawning.Array("q", 2)
    process = spawning.Process(target=_work, args=(counts, core, os.getpid()), daemon=True)
    process.start()
    try:
        pace = Pace(counts)
        until = time.monotonic() + START_SECONDS
        while not pace.mark()[0]:
            if time.monotonic() > until:
                raise RuntimeError("The work that tells a core's pace did not begin.")
            time.sleep(EVERY_SECONDS)
        yield pace
    finally:
        process.kill()
        process.join()


def _work(counts: Counts[int], core: int | None, parent: int) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})
    while os.getppid() == parent:  # it may be killed
        time.sleep(EVERY_SECONDS)
        _piece()  # untimed: what it finds in the caches is no matter of the core's pace
        began = time.thread_time_ns()
        _piece()
        took = time.thread_time_ns() - began
        with counts.get_lock():
            counts[0] += 1
            counts[1] += took


def _piece() -> None:
    """Some of what a server does for a token: dictionaries and JSON."""
    for seq in range(100):
        event = {"type": "chunk", "stream_id": "x" * 22, "seq": seq, "token": "some "}
        json.dumps({**event, "seq": seq + 1}).encode()
