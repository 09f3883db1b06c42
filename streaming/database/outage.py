"""An outage of the database, as one process sees it: one log line at its begin, one at its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

logger = logging.getLogger(__name__)


class Outage:
    """Shared by the database threads of a process. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False

    def begin(self, error: Exception) -> None:
        """Note that the database did not answer."""
        with self._lock:
            if not self._is_on:
                logger.warning("The database can't be reached (%s).", type(error).__name__)
            self._is_on = True

    @contextmanager
    def until_answered(self) -> Iterator[None]:
        """Let the first statement inside that the database answers end the outage.

        Work that succeeds without a statement proves nothing.
        """
        if not self._is_on:
            yield
            return
        with connection.execute_wrapper(self._execute):
            yield

    def _execute(self, execute: Callable[..., Any], *statement: Any) -> Any:
        result = execute(*statement)
        with self._lock:
            if self._is_on:
                logger.warning("The database can be reached again.")
            self._is_on = False
        return result
