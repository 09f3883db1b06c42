"""Tells viewers that the model reasons, and for how long it has been reasoning."""

from __future__ import annotations

from collections.abc import Callable

from .writer import Writer

EVERY_SECONDS = 1.0


class ThinkingTime:
    """The model's reasoning in one generation. It begins anew after each piece of the answer.

    Args:
        now: seconds, monotonic.
    """

    __slots__ = ("_began_at", "_next_at", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began_at: float | None = None
        self._next_at = float("-inf")

    def tell(self, writer: Writer) -> None:
        """Note a sign of reasoning, and show it at most once a second."""
        now = self._now()
        if self._began_at is None:
            self._began_at = now
        since_ms = round((now - self._began_at) * 1000)
        if now >= self._next_at and writer.tell_thinking(since_ms):
            self._next_at = now + EVERY_SECONDS

    def end(self) -> None:
        self._began_at = None
