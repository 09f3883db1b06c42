"""A worker: takes waiting streams from the queue and generates them. It serves nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable

from django.conf import settings

from ..process import Process

logger = logging.getLogger(__name__)


async def work(*, on_ready: Callable[[], None]) -> None:
    """Generate until SIGTERM or SIGINT; then what runs gets `STREAM_DRAIN_SECONDS` to end, and what
    takes longer is left to other workers. A second SIGINT cuts that short.

    Args:
        on_ready: called when it begins to take streams.
    """
    stopping, hurrying = asyncio.Event(), asyncio.Event()

    def interrupt(number: int) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            hurrying.set()
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupt, number)
    process = await Process.begin(is_worker=True)
    try:
        assert process.queue is not None
        taking = loop.create_task(process.queue.work(at_most=settings.STREAM_MAX_RUNNING))
        on_ready()
        await stopping.wait()
        # First: what waits is for other workers. Generations here go on, they are no part of it.
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        logger.info("Stopping: running answers may end; what waits is left to other workers.")
        draining = loop.create_task(process.manager.drain())
        hurry = loop.create_task(hurrying.wait())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurry):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    finally:
        await process.aclose()
