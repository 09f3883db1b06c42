"""Streams announced to a socket that it does not show yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..loop.gate import Gate
from .recent import Recent

WAITING_AT_MOST = 256
"""Pending announcements of one socket; beyond this, the oldest are dropped.

A client that misses one finds the stream in its next `hello`.
"""

AGAIN_SECONDS = 1.0


class Announcements:
    """Shows announced streams one at a time, in a task of its own.

    So neither a slow database nor many announcements delay the socket's other work. The task runs
    while there are announcements.

    Args:
        show: shows a stream; returns False if a retry is needed.
        start: starts the task.
    """

    def __init__(
        self,
        show: Callable[[str], Awaitable[bool]],
        *,
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._show = show
        self._start = start
        self._waiting = Recent(WAITING_AT_MOST)
        self._is_running = False
        self._has_news = Gate()

    def add(self, stream_id: str) -> None:
        """Queue an announcement. Never waits."""
        self._waiting.add(stream_id)
        self._has_news.set()
        if not self._is_running:
            self._is_running = True
            self._start(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._has_news.clear()
                again = []
                while self._waiting:
                    stream_id = self._waiting.pop()
                    if not await self._show(stream_id):
                        again.append(stream_id)
                if again:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(AGAIN_SECONDS):
                            await self._has_news.wait()
                    for stream_id in again:
                        self._waiting.add(stream_id)
        finally:
            self._is_running = False
