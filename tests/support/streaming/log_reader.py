"""A follower of an event log, and events to write to one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from streaming.event_log.base import EventLog
from streaming.protocol import events
from streaming.protocol.events import Event

STREAM = "0123456789abcdefghijkl"
OTHER = "lkjihgfedcba9876543210"


def chunk(seq: int, token: str = "x", stream_id: str = STREAM) -> Event:
    return events.chunk(stream_id, seq, token)


def cancelled(seq: int, stream_id: str = STREAM) -> Event:
    return events.cancelled(stream_id, seq, by="owner")


class Reader:
    """Follows a stream and keeps the events that it receives."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.asides: list[tuple[Event, list[int | None]]] = []
        self.gone = 0
        self._changed = asyncio.Event()

    async def follow(self, log: EventLog, *, after: int = -1, stream_id: str = STREAM) -> Reader:
        self.stop = await log.subscribe(
            stream_id, self._take, on_gone=self._lose, on_aside=self._hear, after=after
        )
        return self

    @property
    def seqs(self) -> list[int | None]:
        return [event.seq for event in self.events]

    async def until(self, seq: int) -> None:
        async with asyncio.timeout(10):
            while seq not in self.seqs:
                self._changed.clear()
                await self._changed.wait()

    async def until_gone(self) -> None:
        async with asyncio.timeout(10):
            while not self.gone:
                self._changed.clear()
                await self._changed.wait()

    def _take(self, batch: Sequence[Event]) -> None:
        assert batch, "an empty batch"
        self.events += batch
        self._changed.set()

    def _hear(self, aside: Event) -> None:
        self.asides.append((aside, self.seqs))
        self._changed.set()

    def _lose(self) -> None:
        self.gone += 1
        self._changed.set()
