"""The writer of one stream: numbers what a generation yields, and brings it into the log."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

from blocks.delta import Item, Reset, Text

from ..event_log.base import (
    EventLog,
    LogEnded,
    LogStatus,
    LogUnavailable,
    OutOfOrder,
    StaleEpoch,
    StreamNotFound,
)
from ..loop.bell import Bell
from ..protocol import events
from ..protocol.events import Event
from ..protocol.state import StreamState

PENDING_AT_MOST = 5_000
"""Events that may wait for the log; a generation that is further ahead waits for it."""

CHARACTERS_AT_MOST = 8_000_000
"""Of text, in all that one generation writes: bounds what a log holds of a stream."""

RETRY_SECONDS = 0.25


class MarkReached(Exception):
    """The stream has used up its numbers, or its room; only its end may follow."""


class Writer:
    """Numbers what a generation yields, and brings it into the log.

    Where the log appends at once, so does `put_now`. Else `put` flushes at once when idle, and
    gathers while a flush is under way: no timer, and no added latency at low rates.
    """

    __slots__ = (
        "_bell", "_flusher", "_is_sealed", "_log", "_mark", "_pending", "_regaining", "_room",
        "_room_left", "_seq", "_state", "_stream_id", "_terminal", "_written", "epoch",
        "is_at_once",
    )  # fmt: skip

    def __init__(
        self, log: EventLog, stream_id: str, epoch: int, *, state: StreamState, mark: int
    ) -> None:
        """
        Args:
            state: what the stream adds up to so far; taken over.
            mark: highest number that may be used, but for the end's.
        """
        self.is_at_once = log.appends_at_once
        self.epoch = epoch
        self._log = log
        self._stream_id = stream_id
        self._mark = mark
        self._room_left = CHARACTERS_AT_MOST
        self._pending: list[Event] = []
        self._bell = Bell()  # rung when there is something to flush
        self._room = Bell()  # rung after each flush
        self._seq = state.seq
        self._state = state
        self._written: list[Event] = []  # in the log, but not in `_state` yet
        self._regaining = asyncio.Lock()
        self._is_sealed = False
        self._terminal: Event | None = None
        self._flusher: asyncio.Task[None] | None = None

    @property
    def state(self) -> StreamState:
        """What is in the log adds up to; with the end, once that is prepared."""
        written, self._written = self._written, []
        for event in written:
            self._state.apply(event)
        return self._state

    @property
    def is_sealed(self) -> bool:
        """Nothing but the end may be written any more."""
        return self._is_sealed

    @property
    def next_seq(self) -> int:
        return self._seq + 1

    def put_now(self, delta: Text | Item | Reset) -> None:
        """Number a delta and append it to a log that does so at once.

        Raises:
            MarkReached: nothing but the end may be written any more.
            LogError: the log refused, or the end has been written.
        """
        self._log.append_now(self._stream_id, self.epoch, self._number(delta))

    async def put(self, delta: Text | Item | Reset) -> None:
        """Number a delta and pass it on to the log; waits only when the log is far behind.

        Raises:
            MarkReached: nothing but the end may be written any more.
            LogError: the log refused an earlier batch, or the end has been written.
        """
        event = self._number(delta)
        if self.is_at_once:
            self._log.append_now(self._stream_id, self.epoch, event)
        else:
            await self._gather(event)

    def _number(self, delta: Text | Item | Reset) -> Event:
        seq = self._seq + 1
        if seq >= self._mark:
            raise LogEnded if self._is_sealed else MarkReached
        if isinstance(delta, Text):
            self._room_left -= len(delta.token)
            if self._room_left < 0:
                raise MarkReached
            event = events.chunk(self._stream_id, seq, delta.token, delta.path)
        elif isinstance(delta, Item):
            event = events.item(self._stream_id, seq, delta.path, delta.value)
        else:
            event = events.reset(self._stream_id, seq, delta.reason)
        self._seq = seq
        if self.is_at_once:
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
        if self.is_at_once:
            self.prepare_end(terminal)
            return self._log.append_now(self._stream_id, self.epoch, terminal)
        self.seal()
        await self._gather(terminal)
        await self.drained()

    def prepare_end(self, terminal: Event) -> None:
        """Take the terminal event into `state` already: from now on only that may be written."""
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
                    self._written += batch
                    del self._pending[: len(batch)]
                    self._room.ring()
        finally:
            self._room.ring()

    async def _append(self, batch: list[Event]) -> None:
        while True:
            epoch = self.epoch
            try:
                return await self._log.append(self._stream_id, epoch, batch)
            except (StreamNotFound, OutOfOrder):
                # It was emptied, or went back in time; what is pending begins where it stood.
                await self.regain(epoch)
            except StaleEpoch:
                if not await self.has_regained(epoch):
                    raise

    async def regain(self, epoch: int) -> None:
        """Make a stream known again whose log was lost under its living generator.

        Args:
            epoch: the one that was found lost; nothing is done if there is a newer one by now.

        Raises:
            StaleEpoch: somebody else generates it by now.
        """
        async with self._regaining:
            while epoch == self.epoch:
                try:
                    await self._open_anew()
                except LogUnavailable:
                    await asyncio.sleep(RETRY_SECONDS)

    async def has_regained(self, epoch: int) -> bool:
        """Whether an epoch is not the newest because this writer itself has a newer one. Of two who
        find a log lost, the one who regains it must not be taken for a stranger by the other."""
        async with self._regaining:  # it may be under way, and in the log already
            return epoch != self.epoch

    async def _open_anew(self) -> None:
        log, stream_id, last = self._log, self._stream_id, self.state.seq
        with contextlib.suppress(StreamNotFound):
            status = await log.status(stream_id)
            if status.epoch > self.epoch:
                return await self._take_if_mine(status)
            if status.last != last:
                await log.forget(stream_id)
        await log.open(stream_id, after=last)
        try:
            epoch = await log.acquire(stream_id)
            if epoch is None:
                raise StaleEpoch
            if await self._last_in_log() != last:
                await log.release(stream_id, epoch)
                raise StaleEpoch
        except StreamNotFound:
            return  # emptied again
        self.epoch = epoch

    async def _last_in_log(self) -> int:
        """Asked until it is answered: the lease is held by now, and nobody else could end it."""
        while True:
            try:
                return (await self._log.status(self._stream_id)).last
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _take_if_mine(self, status: LogStatus) -> None:
        """There is a newer epoch: a stranger's, or one that was given to this writer in an answer
        that got lost."""
        epoch = await self._log.acquire(self._stream_id)
        if epoch == status.epoch and status.last == self.state.seq:
            self.epoch = epoch
            return
        if epoch is not None:
            await self._log.release(self._stream_id, epoch)
        raise StaleEpoch

    async def aclose(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
