"""Whether a client reads what it is sent."""

from __future__ import annotations


class Progress:
    """Watches the bytes that wait for a client. Looked at once a second, and free in between."""

    __slots__ = ("_since", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._since: float | None = None

    def stalled_seconds(self, waiting_bytes: int, now: float) -> float:
        """For how long the client has taken nothing. 0: nothing waits, or the number changes.

        What is written meanwhile changes it, too, but only until the server's buffer is full.
        """
        if not waiting_bytes or waiting_bytes != self._size or self._since is None:
            self._size, self._since = waiting_bytes, now
        return now - self._since
