"""The interval between rounds, from the process's load."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import exp

from .rounds import ROUND_SECONDS

QUIET = 0.38
"""Below this share of a core, rounds are as short as they can be."""

FULL = 0.56
"""From this share on, they are as long as they may be."""

LOOK_SECONDS = 0.1
SMOOTH_SECONDS = 0.6
"""Time constant of the average share: a short burst of work changes little."""


class Pace:
    """Lengthens the interval as the process's own share of a core rises.

    It grows with the square of the share's way from `QUIET` to `FULL`: a little load hardly
    lengthens it. The price of a longer interval is the wait, half of it at the median. Longer
    rounds cost less, so the share falls again. That feedback is negative, and the average slower
    than its effect: the interval settles instead of swinging.

    Args:
        most_seconds: the longest interval.
        now: seconds, monotonic.
        cpu: the CPU time that this process has used, in seconds.
    """

    def __init__(
        self,
        *,
        least_seconds: float = ROUND_SECONDS,
        most_seconds: float,
        now: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._least = least_seconds
        self._most = max(least_seconds, most_seconds)
        self._now = now
        self._cpu = cpu
        self._looked_at = now()
        self._used = cpu()
        self._share = 0.0
        self._interval = least_seconds

    def seconds(self) -> float:
        """Return the interval that suits the load now. Cheap: it reads the clocks ten times a
        second at most."""
        elapsed = (now := self._now()) - self._looked_at
        if elapsed >= LOOK_SECONDS:
            used = self._cpu()
            share = (used - self._used) / elapsed
            self._share += (share - self._share) * (1 - exp(-elapsed / SMOOTH_SECONDS))
            self._looked_at, self._used = now, used
            load = min(1.0, max(0.0, (self._share - QUIET) / (FULL - QUIET)))
            self._interval = self._least + load**2 * (self._most - self._least)
        return self._interval
