"""Log lines about what clients can cause as often as they like: each kind once a minute."""

from __future__ import annotations

import logging
from collections.abc import Callable

SECONDS = 60.0


class RareLog:
    """Writes a warning of one kind at most once a minute, and how often it was held back."""

    def __init__(self, logger: logging.Logger, *, now: Callable[[], float]) -> None:
        self._logger = logger
        self._now = now
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def warn(self, message: str, *args: object) -> None:
        """Log it, as `logging` would. Lines of one kind share their `message`."""
        now = self._now()
        if now - self._last.get(message, -SECONDS) < SECONDS:
            self._held[message] = self._held.get(message, 0) + 1
            return
        self._last[message] = now
        if held := self._held.pop(message, 0):
            self._logger.warning(f"{message} (%d more times since the last line.)", *args, held)
        else:
            self._logger.warning(message, *args)
