"""One open connection to a client (an SSE body or a WebSocket), as `Connections` checks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from ..access.rights import Right
from ..loop.bell import ShortcutBell

HEARTBEAT_SECONDS = 15.0
STALLED_SECONDS = 30.0


class Connection:
    """One connection's state.

    `Connections.check` checks all of them once a second and rings the bell of those with a duty. So
    there is no timer for each connection, and no clock read for each token.
    """

    __slots__ = (
        "_max_age", "_now", "_opened_at", "_seen", "_sending_since", "_silent_since",
        "bell", "duty", "has_lost_right", "is_sending", "is_stalled", "owner", "right", "sends", "task",
    )  # fmt: skip

    def __init__(self, *, now: Callable[[], float], max_age_seconds: float) -> None:
        self.bell = ShortcutBell()
        self.is_sending = False
        """Whether a write to the server is in progress; back-pressure blocks it while the client
        does not read."""
        self.sends = 0
        """Number of completed writes to the server."""
        self.duty: Literal["", "ping", "end"] = ""
        """Task for a moment without other frames: send a heartbeat; or make the client reconnect,
        because the server restarts or the connection is old."""
        self.is_stalled = False
        """Whether the connection was cut because its client does not read."""
        self.owner = ""
        """The owner whose viewer it counts as; empty: nobody's."""
        self.right: Right | None = None
        """The session that admitted the client; None if nothing can expire."""
        self.has_lost_right = False
        """Whether that session has ended: send nothing more of any stream."""
        self.task: asyncio.Task[object] | None = None
        """The task to cancel when the connection stalls."""
        self._now = now
        self._max_age = max_age_seconds
        self._opened_at = self._silent_since = now()
        self._sending_since: float | None = None
        self._seen = 0

    @property
    def is_due(self) -> bool:
        """Whether its task has more to do than send frames, so that the bell must wake it."""
        return bool(self.duty) or self.has_lost_right or self.is_stalled

    def check(self) -> None:
        """Ring if a duty is due, and cut a stalled connection. Called about once a second."""
        if self.is_stalled:
            return
        now = self._now()
        has_sent = self.sends != self._seen
        if has_sent:
            self._seen = self.sends
            self._silent_since = now
        if not self.is_sending:
            self._sending_since = None
        elif has_sent or self._sending_since is None:
            self._sending_since = now
        elif now - self._sending_since >= STALLED_SECONDS:
            self.is_stalled = True
            if self.task is not None:
                self.task.cancel()
            return
        if now - self._opened_at >= self._max_age:
            self.duty = "end"
        elif self.duty != "end":
            is_silent = now - self._silent_since >= HEARTBEAT_SECONDS
            self.duty = "ping" if is_silent and not self.is_sending else ""
        if self.duty:
            self.bell.ring()

    def dismiss(self) -> None:
        """Ask the client to reconnect after it has received all pending frames."""
        self.duty = "end"
        self.bell.ring()

    def end_right(self) -> None:
        """Close at once: the session that admitted the client has ended."""
        self.has_lost_right = True
        self.bell.ring()
