"""Begins the drain with the signal that stops a server which is not ours, such as plain uvicorn.

Such a server first waits for its open responses, and only then ends the lifespan. A stream is an
open response for as long as its answer takes, so the server would wait for minutes.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .. import process

logger = logging.getLogger(__name__)

SIGNALS: tuple[int, ...] = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def draining_on_signals() -> Iterator[None]:
    """Drain at the first of the signals, meanwhile; the server's own handlers run as ever.

    Where the server has no handler of Python's, and outside the main thread, nothing changes.
    """
    before: dict[int, Callable[[int, FrameType | None], Any]] = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and handler is not signal.default_int_handler:
                before[number] = handler
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    def begin() -> None:
        if not draining:
            draining.append(loop.create_task(_drain()))

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin)
        before[number](number, frame)

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is on_signal:  # else another program has set one since
                signal.signal(number, handler)


async def _drain() -> None:
    logger.info("Stopping: running streams are drained, new ones are refused.")
    try:
        await (await process.ensure_started()).drain()
    except Exception:
        logger.exception("The drain failed.")
