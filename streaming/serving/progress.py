"""Detects clients that do not read."""

from __future__ import annotations


class Progress:
    """Watches the bytes that wait for a client. Sampled once a second; costs nothing in between."""

    __slots__ = ("_since", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._since: float | None = None

    def stalled_seconds(self, waiting_bytes: int, now: float) -> float:
        """Return how long the client has read nothing; 0 if nothing waits or the number changed.

        Writes change the number too, but only until the server's buffer is full.
        """
        if not waiting_bytes or waiting_bytes != self._size or self._since is None:
            self._size, self._since = waiting_bytes, now
        return now - self._since
