"""What nobody watches, in no process: it is cancelled where its block says so, or where others need
its place."""

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
"""How often a process tells what is watched in it."""


class Abandonment:
    """Belongs to one event loop.

    Args:
        cancel: stores a wish to cancel.
        abandon_seconds: how long nobody must have watched a stream.
        is_short: whether this process has few places left; then anonymous streams are cancelled
            whatever their blocks say.
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

    async def tell_watched(self) -> None:
        """Let other processes know which of their streams are watched here."""
        await self._log.tell_watched(self._hub.watched())

    async def look(self) -> None:
        """Cancel streams of this process that nobody has watched for too long."""
        if self._log.steady_seconds < 2 * WATCHED_SECONDS:
            return  # it was away: nobody could tell of its viewers
        before = self._now() - self._abandon_seconds
        is_short = self._is_short()
        with contextlib.suppress(LogUnavailable):  # the others would wait as long, one by one
            for generation in self._generations.all():
                may_cancel = generation.spec.on_abandon == "cancel" or (
                    is_short and is_anonymous(generation)
                )
                if may_cancel and generation.begun <= before:
                    await self._cancel_if_abandoned(generation)

    async def _cancel_if_abandoned(self, generation: Generation) -> None:
        """
        Raises:
            LogUnavailable
        """
        feed = self._hub.find(generation.stream_id)
        since = self._now() - self._abandon_seconds
        if feed is not None and (feed.bells or feed.alone_since > since):
            return
        with contextlib.suppress(StreamNotFound):
            status = await self._log.status(generation.stream_id)
            if status.unwatched_seconds >= self._abandon_seconds:
                await self._cancel(generation.row, "abandoned")
