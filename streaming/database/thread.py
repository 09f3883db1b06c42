"""A thread for database work that belongs to no request: one connection, kept and closed by us."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)

from ..errors import Refused

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = (OperationalError, InterfaceError)

QUERIES_AT_MOST = 64
"""Calls of clients that one thread has or keeps waiting; a further one is refused at once."""


class DatabaseThread:
    """Runs synchronous ORM code, one call after the other.

    asgiref's thread-sensitive executors belong to requests and end with them; what outlives a
    request needs a thread of its own.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(QUERIES_AT_MOST)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await `work` done on the thread. Cancelling drops work that has not begun, and stops the
        wait for work that has. Never refused: for the process's own work.
        """
        return await asyncio.wrap_future(self._submit(lambda: work(*args, **kwargs)))

    def _submit(self, work: Callable[[], R]) -> Future[R]:
        def job() -> R:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return self._executor.submit(contextvars.Context().run, job)

    async def query(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`run`, for whoever has a client that waits.

        Raises:
            Refused: `store_unavailable`, when the database can't be reached; `over_capacity`, when
                `QUERIES_AT_MOST` calls are there already.
        """
        if not self._places.acquire(blocking=False):
            raise Refused("over_capacity", retry_after_seconds=1)
        future = self._submit(lambda: work(*args, **kwargs))
        # The place is free when the thread is done with it, whether somebody still waits or not.
        future.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wrap_future(future)
        except (DatabaseError, InterfaceError) as error:
            name, is_odd = type(error).__name__, not isinstance(error, _AWAY)
            logger.warning("The database can't be reached (%s).", name, exc_info=is_odd)
            raise Refused("store_unavailable", retry_after_seconds=2) from None

    async def aclose(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown(wait=False)
