"""Cancels abandoned streams: those without a viewer in any process.

The stream's block asks for it, or its place is needed for others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from ..event_log.base import EventLog, LogUnavailable, StreamNotFound
from ..models import Stream
from ..protocol.events import CancelledBy
from ..watching.hub import Hub
from .generation import Generation
from .running import Generations, is_anonymous

WATCHED_SECONDS = 5.0
"""How often a process reports which streams it watches."""


class Abandonment:
    """Cancels the abandoned streams of one process. Belongs to one event loop.

    Args:
        cancel: stores a cancel intent.
        abandon_seconds: how long a stream must have been without a viewer.
        is_short: whether this process is short of places. It then cancels abandoned anonymous
            streams regardless of their blocks.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        hub: Hub,
        generations: Generations,
        cancel: Callable[[Stream, CancelledBy], Awaitable[None]],
        abandon_seconds: float,
        is_short: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self._log = log
        self._hub = hub
        self._generations = generations
        self._cancel = cancel
        self._abandon_seconds = abandon_seconds
        self._is_short = is_short
        self._now = now

    async def mark_watched(self) -> None:
        """Report to the other processes which streams are watched here."""
        await self._log.mark_watched(self._hub.watched(within_seconds=WATCHED_SECONDS))

    async def look(self) -> None:
        """Cancel the streams of this process that have been without a viewer for too long."""
        if self._log.steady_seconds < 2 * WATCHED_SECONDS:
            return  # it was unreachable: processes could not report their viewers
        before = self._now() - self._abandon_seconds
        is_short = self._is_short()
        with contextlib.suppress(LogUnavailable):  # stop here: each further call would time out too
            for generation in self._generations.all():
                may_cancel = generation.spec.on_abandon == "cancel" or (
                    is_short and is_anonymous(generation)
                )
                if may_cancel and generation.begun <= before:
                    await self._cancel_if_abandoned(generation)

    async def _cancel_if_abandoned(self, generation: Generation) -> None:
        """Cancel a stream unless a viewer watches it, here or elsewhere.

        Raises:
            LogUnavailable
        """
        feed = self._hub.find(generation.stream_id)
        since = self._now() - self._abandon_seconds
        if feed is not None and (feed.bells or feed.unwatched_since > since):
            return
        with contextlib.suppress(StreamNotFound):
            status = await self._log.status(generation.stream_id)
            if status.unwatched_seconds >= self._abandon_seconds:
                await self._cancel(generation.row, "abandoned")
