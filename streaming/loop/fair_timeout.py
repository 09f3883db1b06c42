"""A time limit for another system, which the process's own stalls do not use up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

SLICES = 4


@contextlib.asynccontextmanager
async def fair_timeout(seconds: float) -> AsyncIterator[None]:
    """Limit the block to `seconds` in which the event loop runs.

    The limit is counted in slices. A loop that stalls for long uses up one slice, not the whole
    limit, and then reads what has arrived. With `asyncio.timeout`, a reply that waits in the socket
    comes too late: the busy process would report an outage of the other system.

    Raises:
        TimeoutError: the limit has passed.

    May be cancelled like any block.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def begin_slice(left: int) -> None:
        nonlocal timer
        timer = loop.call_later(seconds / SLICES, end_slice, left - 1)

    def end_slice(left: int) -> None:
        if left:
            begin_slice(left)
        else:
            timeout.reschedule(loop.time())  # in the next turn: a reply of this turn still counts

    async with asyncio.timeout(None) as timeout:
        begin_slice(SLICES)
        try:
            yield
        finally:
            timer.cancel()
