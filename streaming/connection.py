"""One open connection to a client, SSE body or WebSocket, as its keeper sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .bell import Bell

HEARTBEAT_SECONDS = 15.0
STALLED_SECONDS = 30.0


class Connection:
    """Times of one connection. The process's keeper looks at all of them once a second and rings
    the bell of those that have something to do: a timer for each would cost more than its tokens.
    """

    __slots__ = (
        "_now", "bell", "is_draining", "is_stalled", "last_sent", "max_age", "opened_at",
        "sending_since", "task",
    )  # fmt: skip

    def __init__(self, *, now: Callable[[], float], max_age_seconds: float) -> None:
        self._now = now
        self.bell = Bell()
        self.opened_at = self.last_sent = now()
        self.max_age = max_age_seconds
        self.sending_since: float | None = None
        self.is_draining = False
        self.is_stalled = False
        self.task: asyncio.Task[object] | None = None

    def sending(self) -> None:
        """Mark that bytes are being handed to the server, which holds them back if the client
        does not read."""
        self.sending_since = self._now()

    def sent(self) -> None:
        self.last_sent = self._now()
        self.sending_since = None

    @property
    def is_silent(self) -> bool:
        """Whether it is time for a sign of life."""
        return self._now() - self.last_sent >= HEARTBEAT_SECONDS

    @property
    def must_end(self) -> bool:
        """Whether the client should reconnect: the server restarts, or the connection is old."""
        return self.is_draining or self._now() - self.opened_at >= self.max_age

    def look(self) -> None:
        """Ring or abort, as the time demands. Called about once a second."""
        stalled_before = self._now() - STALLED_SECONDS
        if self.is_stalled:
            return
        if self.sending_since is not None and self.sending_since < stalled_before:
            self.is_stalled = True
            if self.task is not None:
                self.task.cancel()
        elif self.is_silent or self.must_end:
            self.bell.ring()
