"""Rate-limited log lines for events that clients can cause at will: one a minute of each kind."""

from __future__ import annotations

import logging
from collections.abc import Callable

SECONDS = 60.0


class RareLog:
    """Logs a warning of one kind at most once a minute, with the number of suppressed ones."""

    def __init__(self, logger: logging.Logger, *, now: Callable[[], float]) -> None:
        self._logger = logger
        self._now = now
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def warn(self, message: str, *args: object) -> None:
        """Log a warning as `logging` does. Lines of one kind share their `message`."""
        now = self._now()
        if now - self._last.get(message, -SECONDS) < SECONDS:
            self._held[message] = self._held.get(message, 0) + 1
            return
        self._last[message] = now
        if held := self._held.pop(message, 0):
            self._logger.warning(f"{message} (%d more times since the last line.)", *args, held)
        else:
            self._logger.warning(message, *args)
