"""Work that completes even if the client that waits for it disconnects."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def uncut(task: asyncio.Task[T], *, expected: type[Exception]) -> T:
    """Return a task's result. Cancelling stops the wait, not the task.

    Args:
        expected: an error type that is no fault. After a cancelled wait, other errors are logged.
    """

    def log_fault(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, expected):
            logger.error("A task failed after its caller was cancelled.", exc_info=error)

    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(log_fault)
        raise
