"""The streams that were announced to a socket and are still to be shown on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from .recent import Recent

WAITING_AT_MOST = 256
"""Announcements that wait for one socket; the oldest go first. A client that missed one finds its
stream in the next `hello`."""

AGAIN_SECONDS = 1.0


class Announcements:
    """Shows announced streams one after the other, so that neither a slow database nor many
    announcements hold up what else the socket does.

    Args:
        show: shows a stream; False: that can't be done just now.
    """

    def __init__(self, show: Callable[[str], Awaitable[bool]]) -> None:
        self._show = show
        self._waiting = Recent(WAITING_AT_MOST)
        self._has_news = asyncio.Event()

    def add(self, stream_id: str) -> None:
        """Never waits."""
        self._waiting.add(stream_id)
        self._has_news.set()

    async def run(self) -> None:
        """Show what is announced, until cancelled."""
        while True:
            await self._has_news.wait()
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
                    self.add(stream_id)
