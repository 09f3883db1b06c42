"""Decides how long to wait for a service. Times are of one clock, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from blocks.providers.chat.ending import Ending

STRETCH = 5
"""Limit of a stretch without text, in limits of the first token, while signs of life come."""

MAYBE_OVER_IDLES = 4
"""The same while an answer may be over, in idle limits."""

TAIL_SECONDS = 2.0
"""Limit for `[DONE]`, once the service has sent its finish reason and usage."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """In seconds."""

    connect: float
    first_token: float  # silence before the first text or reasoning
    idle: float  # silence after it; comments and empty deltas end the silence


class Patience:
    """The time limit of one answer.

    Any byte ends a silence: comments and empty deltas are signs of life. A stretch without text or
    reasoning has a limit of its own.

    Args:
        is_whole: the answer comes in one piece, without signs of life.
    """

    def __init__(self, limits: TimeLimits, now: float, *, is_whole: bool = False) -> None:
        self.deadline = now + limits.first_token * (STRETCH if is_whole else 1)
        self._limits = limits
        self._stretch_ends = now + limits.first_token * STRETCH
        self._progress = 0
        self._was_final = False
        self._over_by: float | None = None  # since the answer may be over

    def heard(self, ending: Ending, progress: int, now: float) -> None:
        """Set the deadline anew after some bytes.

        Args:
            progress: how many chunks with text or reasoning have come.
            now: after the consumer has taken the text, so that its own time does not count against
                the service.
        """
        limits = self._limits
        if progress > self._progress:
            self._progress = progress
            self._stretch_ends = now + limits.first_token * STRETCH
        # After a final finish reason only the end counts.
        if not (self._was_final and ending.is_final):
            self.deadline = now + (limits.idle if progress else limits.first_token)
        self._was_final = ending.is_final
        if not ending.word:
            self._over_by = None
        elif self._over_by is None:
            self._over_by = now + MAYBE_OVER_IDLES * limits.idle
        self.deadline = min(self.deadline, self._stretch_ends, self._over_by or self.deadline)
        if ending.is_summed_up:
            self.deadline = min(self.deadline, now + TAIL_SECONDS)
