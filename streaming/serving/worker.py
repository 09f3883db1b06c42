"""A worker: takes waiting streams from the queue and generates them. It serves no clients."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable

from django.conf import settings

from ..process import Process
from .worker_page import worker_page

logger = logging.getLogger(__name__)


async def work(*, on_ready: Callable[[], None], page: socket.socket | None = None) -> None:
    """Generate until SIGTERM or SIGINT, then drain for up to `STREAM_DRAIN_SECONDS`.

    Streams that take longer are handed over to other workers. A second SIGINT cuts the drain
    short.

    Args:
        on_ready: called when the worker begins to take streams.
        page: where it serves its metrics and probes, also while it drains; None: nowhere.
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
        async with worker_page(page, process):
            await _take_until(process, stopping, hurrying, on_ready)
    finally:
        await process.aclose()


async def _take_until(
    process: Process,
    stopping: asyncio.Event,
    hurrying: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    assert process.queue is not None
    taking = loop.create_task(process.queue.work(at_most=settings.STREAM_MAX_RUNNING))
    on_ready()
    await stopping.wait()
    # First stop taking: other workers take the waiting streams. Cancelling this task does not
    # stop the generations that run here.
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    logger.info("Stopping: running answers are drained; other workers take the waiting ones.")
    draining = loop.create_task(process.manager.drain())
    hurry = loop.create_task(hurrying.wait())
    await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, hurry):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
