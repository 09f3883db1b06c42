"""The writer of one stream: numbers what a generation yields, and brings it into the log."""

from __future__ import annotations

import asyncio
import contextvars

from blocks.delta import Item, Reset, Text

from .bell import Bell
from .event_log.base import EventLog, LogEnded, LogUnavailable
from .protocol import events
from .protocol.events import Event
from .protocol.state import StreamState

PENDING_AT_MOST = 5_000
"""Events that may wait for the log; a generation that is further ahead waits for it."""

RETRY_SECONDS = 0.25


class MarkReached(Exception):
    """The stream has used up its numbers; only its end may follow."""


class Writer:
    """Numbers what a generation yields, and brings it into the log.

    Where the log appends at once, so does `put_now`. Else `put` flushes at once when idle, and
    gathers while a flush is under way: no timer, and no added latency at low rates.
    """

    __slots__ = (
        "_bell", "_epoch", "_flusher", "_is_sealed", "_log", "_mark", "_pending", "_room", "_seq",
        "_state", "_stream_id", "_terminal", "_written", "is_at_once",
    )  # fmt: skip

    def __init__(self, log: EventLog, stream_id: str, epoch: int, *, after: int, mark: int) -> None:
        self.is_at_once = log.appends_at_once
        self._log = log
        self._stream_id = stream_id
        self._epoch = epoch
        self._mark = mark
        self._pending: list[Event] = []
        self._bell = Bell()  # rung when there is something to flush
        self._room = Bell()  # rung after each flush
        self._seq = after
        self._state = StreamState(seq=after)
        self._written: list[Event] = []  # what `_state` does not hold yet
        self._is_sealed = False
        self._terminal: Event | None = None
        self._flusher: asyncio.Task[None] | None = None

    @property
    def state(self) -> StreamState:
        """What was written adds up to; it may be ahead of the log by what is being flushed."""
        written, self._written = self._written, []
        for event in written:
            self._state.apply(event)
        return self._state

    @property
    def next_seq(self) -> int:
        return self._seq + 1

    def put_now(self, delta: Text | Item | Reset) -> None:
        """Number a delta and append it to a log that does so at once.

        Raises:
            MarkReached: nothing but the end may be written any more.
            LogError: the log refused, or the end has been written.
        """
        self._log.append_now(self._stream_id, self._epoch, self._number(delta))

    async def put(self, delta: Text | Item | Reset) -> None:
        """Number a delta and pass it on to the log; waits only when the log is far behind.

        Raises:
            MarkReached: nothing but the end may be written any more.
            LogError: the log refused an earlier batch, or the end has been written.
        """
        event = self._number(delta)
        if self.is_at_once:
            self._log.append_now(self._stream_id, self._epoch, event)
        else:
            await self._gather(event)

    def _number(self, delta: Text | Item | Reset) -> Event:
        seq = self._seq + 1
        if seq >= self._mark:
            raise LogEnded if self._is_sealed else MarkReached
        self._seq = seq
        if isinstance(delta, Text):
            event = events.chunk(self._stream_id, seq, delta.token, delta.path)
        elif isinstance(delta, Item):
            event = events.item(self._stream_id, seq, delta.path, delta.value)
        else:
            event = events.reset(self._stream_id, seq, delta.reason)
        self._written.append(event)
        return event

    async def _gather(self, event: Event) -> None:
        self._pending.append(event)
        self._bell.ring()
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(
                self._flush(), context=contextvars.Context()
            )
        while len(self._pending) > PENDING_AT_MOST:
            self._raise_if_broken()
            await self._room.wait()
        self._raise_if_broken()

    async def drained(self) -> None:
        """Wait until all that was put is in the log.

        Raises:
            LogError: the log refused it.
        """
        while self._pending:
            self._raise_if_broken()
            await self._room.wait()
        self._raise_if_broken()

    async def end(self, terminal: Event) -> None:
        """Write the terminal event, and wait until it is in the log.

        Raises:
            LogError: the log refused it.
        """
        self.prepare_end(terminal)
        if self.is_at_once:
            return self._log.append_now(self._stream_id, self._epoch, terminal)
        await self._gather(terminal)
        await self.drained()

    def prepare_end(self, terminal: Event) -> None:
        """Take the terminal event into `state`: from now on only that may be written."""
        self.seal()
        if self._terminal is None:
            self._terminal = terminal
            self._written.append(terminal)

    def seal(self) -> None:
        """From now on nothing but the end may be written: its number is `next_seq`."""
        self._is_sealed = True
        self._mark = 0  # no number is below it

    def _raise_if_broken(self) -> None:
        flusher = self._flusher
        if flusher is not None and flusher.done() and (error := flusher.exception()):
            raise error

    async def _flush(self) -> None:
        try:
            while True:
                await self._bell.wait()
                while self._pending:
                    batch = self._pending[:]
                    await self._append(batch)
                    del self._pending[: len(batch)]
                    self._room.ring()
        finally:
            self._room.ring()

    async def _append(self, batch: list[Event]) -> None:
        while True:
            try:
                return await self._log.append(self._stream_id, self._epoch, batch)
            except LogUnavailable:
                # Nothing unlogged is shown: wait for the log, and go on if the epoch still holds.
                await asyncio.sleep(RETRY_SECONDS)

    async def aclose(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
