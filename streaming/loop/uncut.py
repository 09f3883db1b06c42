"""Work that is carried out whatever becomes of the client that waits for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def uncut(task: asyncio.Task[T], *, expected: type[Exception]) -> T:
    """What a task gives. Cancelling stops the wait, not the task.

    Args:
        expected: errors that are no fault. Others are logged if nobody waits for them any more.
    """

    def log_fault(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, expected):
            logger.error("A task failed after its caller had left.", exc_info=error)

    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(log_fault)
        raise
