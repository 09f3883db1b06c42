"""Size of a request's head: the request line and the headers, as received."""

from __future__ import annotations

MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 128
"""Header lines; the WebSocket library has the same limit. 64 KiB could hold 13,000 of them."""

_END = b"\r\n\r\n"


class HeadMeter:
    """Counts a head's bytes and finds its end, regardless of how the network splits it."""

    __slots__ = ("_tail", "size")

    def __init__(self) -> None:
        self.size = 0
        self._tail = b""

    def take(self, data: bytes) -> int:
        """Count the bytes of `data` that belong to the head: up to its empty line, or all.

        Returns:
            Their number.
        """
        joined = self._tail + data if self._tail else data
        found = joined.find(_END)
        if found < 0:
            end, self._tail = len(data), joined[-(len(_END) - 1) :]
        else:
            end, self._tail = found + len(_END) - len(self._tail), b""
        self.size += end
        return end

    @property
    def is_too_large(self) -> bool:
        return self.size > MAX_HEAD_BYTES
