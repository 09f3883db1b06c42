"""A thread for database work outside requests; it owns one connection."""

from __future__ import annotations

import asyncio
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
from ..loop.log_ids import fresh_context
from .outage import Outage

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_UNREACHABLE = (OperationalError, InterfaceError)

QUERIES_AT_MOST = 64
"""Most client calls that run or wait on one thread; further ones are refused immediately."""


class DatabaseThread:
    """Runs synchronous ORM code, one call at a time.

    asgiref's thread-sensitive executors end with their request; work that outlives a request needs
    a thread of its own.

    Args:
        outage: the one that the threads of a process share; None: one of its own.
    """

    def __init__(self, name: str, outage: Outage | None = None) -> None:
        self._outage = outage or Outage()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(QUERIES_AT_MOST)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work` on the thread, and return its result. Never refuses; for internal work.

        Cancelling drops work that has not started; work that has started completes, but the wait
        stops.
        """
        return await asyncio.wrap_future(self._submit(lambda: work(*args, **kwargs)))

    def _submit(self, work: Callable[[], R]) -> Future[R]:
        def job() -> R:
            close_old_connections()
            try:
                with self._outage.until_answered():
                    return work()
            finally:
                close_old_connections()

        return self._executor.submit(fresh_context().run, job)

    async def query(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work` as `run` does, on behalf of a waiting client.

        Raises:
            Refused: `store_unavailable` if the database is unreachable; `over_capacity` if
                `QUERIES_AT_MOST` calls already run or wait.
        """
        if not self._places.acquire(blocking=False):
            raise Refused("over_capacity", retry_after_seconds=1)
        future = self._submit(lambda: work(*args, **kwargs))
        # The place is released when the thread has finished, even if the caller stopped waiting.
        future.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wrap_future(future)
        except _UNREACHABLE as error:
            self._outage.begin(error)
            raise Refused("store_unavailable", retry_after_seconds=2) from None
        except DatabaseError as error:
            logger.warning(
                "The database refused a query (%s).", type(error).__name__, exc_info=True
            )
            raise Refused("store_unavailable", retry_after_seconds=2) from None

    async def aclose(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown(wait=False)
