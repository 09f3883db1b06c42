"""A thread for database work that belongs to no request: one connection, kept and closed by us."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)

from .errors import Refused

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = (OperationalError, InterfaceError)


class DatabaseThread:
    """Runs synchronous ORM code, one call after the other.

    asgiref's thread-sensitive executors belong to requests and end with them; what outlives a
    request needs a thread of its own.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await `work` done on the thread. Cancelling stops the wait, not the work."""

        def job() -> R:
            close_old_connections()
            try:
                return work(*args, **kwargs)
            finally:
                close_old_connections()

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, contextvars.Context().run, job)

    async def query(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`run`, for whoever has a client that waits.

        Raises:
            Refused: `store_unavailable`, when the database can't be reached.
        """
        try:
            return await self.run(work, *args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            name, is_odd = type(error).__name__, not isinstance(error, _AWAY)
            logger.warning("The database can't be reached (%s).", name, exc_info=is_odd)
            raise Refused("store_unavailable", retry_after_seconds=2) from None

    async def aclose(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown(wait=False)
