"""Work that is carried out whatever becomes of the client that waits for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

from ..errors import Refused

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def uncut(task: asyncio.Task[T]) -> T:
    """What a task gives. Cancelling stops the wait, not the task."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_tell)
        raise


def _tell(task: asyncio.Task[T]) -> None:
    """Nobody hears how it ended: a refusal needs no ear, a fault does."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and not isinstance(error, Refused):
        logger.error("Work that nobody waited for broke.", exc_info=error)
