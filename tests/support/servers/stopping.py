"""A server that shuts down, and how long it takes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

from tests.support.servers.harness import Server


class Stopping:
    """A server that has just been told to stop; a thread times it independently of the test.

    Args:
        tell: tells the server to stop; by default with SIGTERM.
        within_seconds: a server that takes longer fails the test.
    """

    def __init__(
        self, server: Server, tell: Callable[[], None] | None = None, *, within_seconds: float = 60
    ) -> None:
        self._told_at = time.monotonic()
        if tell is None:
            server.signal(signal.SIGTERM)
        else:
            tell()
        self._exit = asyncio.ensure_future(asyncio.to_thread(self._wait, server, within_seconds))

    def _wait(self, server: Server, within_seconds: float) -> tuple[int, float]:
        return server.wait(within_seconds), time.monotonic() - self._told_at

    def elapsed(self, at: float) -> float:
        """Return the time from the signal until `at`, in seconds."""
        return at - self._told_at

    async def seconds(self) -> float:
        """Return the time that it took; checks that its exit code is 0."""
        code, seconds = await self._exit
        assert code == 0
        return seconds
