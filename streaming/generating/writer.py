"""The writer of one stream: numbers the deltas of a generation and appends them to the log."""

from __future__ import annotations

import asyncio
import contextlib
from time import perf_counter
from typing import cast

from blocks.delta import Item, Reset, Text

from ..event_log.base import (
    EventLog,
    LogEnded,
    LogError,
    LogStatus,
    LogUnavailable,
    OutOfOrder,
    StaleEpoch,
    StreamNotFound,
    SynchronousLog,
)
from ..loop.bell import Bell
from ..loop.log_ids import fresh_context
from ..metrics.buckets import LOG_APPENDS, TOKEN_GAPS
from ..protocol import events
from ..protocol.events import Event
from ..protocol.state import StreamState

PENDING_AT_MOST = 5_000
"""Events that may be pending; beyond this, back-pressure stops the generation."""

CHARACTERS_AT_MOST = 8_000_000
"""Characters of text that one generation may write; bounds the size of a stream's log."""

RETRY_SECONDS = 0.25

BETWEEN_LOOKS = 14
"""The bits of a seq that are all 0 for two neighbours of sixteen, whose gap is measured. A clock at
each token would cost more than all other counting."""


class MarkReached(Exception):
    """The stream has used up its numbers or its characters; only its end may follow."""


class _Queue:
    """The events that wait for a log that does not append at once."""

    __slots__ = ("events", "has_news", "has_room", "task")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.has_news = Bell()  # rung when events are pending
        self.has_room = Bell()  # rung after each flush
        self.task: asyncio.Task[None] | None = None

    def raise_if_broken(self) -> None:
        """Raise what ended the task."""
        task = self.task
        if task is not None and task.done() and (error := task.exception()):
            raise error


class Writer:
    """Numbers the deltas of a generation and appends them to the log.

    If the log appends at once, so does `put_now`. Otherwise `put` flushes at once when idle, and
    batches while a flush is in progress: no timer, and no added latency at low rates.
    """

    __slots__ = (
        "_after", "_direct", "_is_sealed", "_log", "_logged", "_looked_at", "_mark", "_queue",
        "_regaining", "_room_left", "_seq", "_state", "_stream_id", "_terminal", "_unapplied",
        "epoch",
    )  # fmt: skip

    def __init__(
        self, log: EventLog, stream_id: str, epoch: int, *, state: StreamState, mark: int
    ) -> None:
        """
        Args:
            state: the stream's state so far; the writer takes ownership and changes it.
            mark: upper bound of the numbers; only the terminal event may use it.
        """
        self.epoch = epoch
        self._log = log
        self._stream_id = stream_id
        self._mark = mark
        self._room_left = CHARACTERS_AT_MOST
        self._seq = self._after = state.seq
        self._looked_at = 0.0  # when the first of two neighbours was written; 0: not yet
        self._state = state
        self._direct = cast(SynchronousLog, log) if log.appends_synchronously else None
        self._logged = self._direct.events_of(stream_id) if self._direct is not None else None
        self._queue = _Queue() if self._direct is None else None
        self._unapplied: list[Event] = []  # events that `state` lacks and `_logged` has not
        self._regaining: asyncio.Lock | None = None
        self._is_sealed = False
        self._terminal: Event | None = None

    @property
    def state(self) -> StreamState:
        """The state of the logged events; includes the end once that is prepared."""
        state = self._state
        if (logged := self._logged) is not None:
            for event in logged.merged(state.seq, logged.last):
                state.apply(event)
        unapplied, self._unapplied = self._unapplied, []
        state.apply_all(unapplied)
        return state

    @property
    def is_behind(self) -> bool:
        """Whether events are numbered that the log, and so `state`, does not have yet."""
        return self._queue is not None and bool(self._queue.events)

    @property
    def is_synchronous(self) -> bool:
        """Whether the log appends at once, so that `put_now` works."""
        return self._direct is not None

    @property
    def is_sealed(self) -> bool:
        """Whether only the end may still be written."""
        return self._is_sealed

    @property
    def next_seq(self) -> int:
        return self._seq + 1

    @property
    def written(self) -> int:
        """Number of events that this writer has numbered, without the terminal one."""
        return self._seq - self._after

    def put_now(self, delta: Text | Item | Reset) -> None:
        """Number a delta and append it to a log that appends at once.

        Raises:
            MarkReached: only the end may still be written.
            LogError: the log rejected it, or the end has been written.
        """
        log, stream_id = self._direct, self._stream_id
        assert log is not None, "this log must be waited for"
        self._seq = seq = self._next(len(delta.token) if isinstance(delta, Text) else 0)
        try:
            if isinstance(delta, Text):
                log.append_text(stream_id, self.epoch, seq, delta.token, delta.path)
            else:
                log.append_now(stream_id, self.epoch, self._event(seq, delta))
        except LogError:
            # The end says that the answer was not recorded; its row keeps all of it.
            self._unapplied.append(self._event(seq, delta))
            raise
        if not seq & BETWEEN_LOOKS:
            self._look_at_gap(seq)

    async def put(self, delta: Text | Item | Reset) -> None:
        """Number a delta and pass it to the log. Waits only when the log is far behind.

        Raises:
            MarkReached: only the end may still be written.
            LogError: the log rejected an earlier batch, or the end has been written.
        """
        if self._queue is None:
            return self.put_now(delta)
        self._seq = seq = self._next(len(delta.token) if isinstance(delta, Text) else 0)
        if not seq & BETWEEN_LOOKS:
            self._look_at_gap(seq)
        await self._gather(self._queue, self._event(seq, delta))

    def _look_at_gap(self, seq: int) -> None:
        """Look at one of two neighbours: the even one begins, the odd one measures."""
        now = perf_counter()
        if not seq & 1:
            self._looked_at = now
        elif self._looked_at:  # else a generator before this one wrote the even one
            TOKEN_GAPS.observe(now - self._looked_at)

    def tell_thinking(self, since_ms: int) -> bool:
        """Show the viewers that are there that the model reasons. Never waits.

        Returns:
            False if that would overtake pending events or follow the end; nothing is shown then.
        """
        return self._tell(events.thinking(self._stream_id, since_ms=since_ms))

    def tell_place(self, place: int) -> bool:
        """Show the viewers which one in line the stream is. Never waits.

        Returns:
            As `tell_thinking`.
        """
        return self._tell(events.queue(self._stream_id, place=place))

    def _tell(self, aside: Event) -> bool:
        if self.is_behind or self._is_sealed:
            return False
        self._log.tell(self._stream_id, self.epoch, aside, after=self._seq)
        return True

    def _event(self, seq: int, delta: Text | Item | Reset) -> Event:
        if isinstance(delta, Text):
            return events.chunk(self._stream_id, seq, delta.token, delta.path)
        if isinstance(delta, Item):
            return events.item(self._stream_id, seq, delta.path, delta.value)
        return events.reset(self._stream_id, seq, delta.reason)

    def _next(self, characters: int) -> int:
        seq = self._seq + 1
        if seq >= self._mark:
            raise LogEnded if self._is_sealed else MarkReached
        self._room_left -= characters
        if self._room_left < 0:
            raise MarkReached
        return seq

    async def _gather(self, queue: _Queue, event: Event) -> None:
        queue.events.append(event)
        queue.has_news.ring()
        if queue.task is None:
            queue.task = asyncio.get_running_loop().create_task(
                self._flush(queue), context=fresh_context()
            )
        while len(queue.events) > PENDING_AT_MOST:
            queue.raise_if_broken()
            await queue.has_room.wait()
        queue.raise_if_broken()

    async def drained(self) -> None:
        """Wait until all pending events are in the log.

        Raises:
            LogError: the log rejected them.
        """
        if (queue := self._queue) is None:
            return
        while queue.events:
            queue.raise_if_broken()
            await queue.has_room.wait()
        queue.raise_if_broken()

    async def end(self, terminal: Event) -> None:
        """Write the terminal event, and wait until it is in the log.

        Raises:
            LogError: the log rejected it.
        """
        if self._direct is not None:
            self.prepare_end(terminal)
            return self._direct.append_now(self._stream_id, self.epoch, terminal)
        assert self._queue is not None
        self.seal()
        await self._gather(self._queue, terminal)
        await self.drained()

    def prepare_end(self, terminal: Event) -> None:
        """Include the terminal event in `state` before it is written, and seal the writer."""
        self.seal()
        if self._terminal is None:
            self._terminal = terminal
            self._unapplied.append(terminal)

    def seal(self) -> None:
        """Refuse everything but the terminal event, whose number is `next_seq`."""
        self._is_sealed = True
        self._mark = 0  # every number reaches it

    async def _flush(self, queue: _Queue) -> None:
        try:
            while True:
                await queue.has_news.wait()
                while queue.events:
                    batch = queue.events[:]
                    begun = perf_counter()
                    await self._append(batch)
                    LOG_APPENDS.observe(perf_counter() - begun)
                    self._unapplied += batch
                    del queue.events[: len(batch)]
                    queue.has_room.ring()
        finally:
            queue.has_room.ring()

    async def _append(self, batch: list[Event]) -> None:
        while True:
            epoch = self.epoch
            try:
                return await self._log.append(self._stream_id, epoch, batch)
            except (StreamNotFound, OutOfOrder):
                # Redis was emptied or restored to an older state. The log opened anew ends just
                # before the pending events.
                await self.regain(epoch)
            except StaleEpoch:
                if not await self.has_regained(epoch):
                    raise

    async def regain(self, epoch: int) -> None:
        """Reopen the log of a stream that lost it while its generator is alive.

        Args:
            epoch: the epoch found lost. Does nothing if this writer already has a newer one.

        Raises:
            StaleEpoch: another generator has taken the stream over.
        """
        async with self._regain_lock():
            while epoch == self.epoch:
                try:
                    await self._open_anew()
                except LogUnavailable:
                    await asyncio.sleep(RETRY_SECONDS)

    async def has_regained(self, epoch: int) -> bool:
        """Whether an epoch is stale because this writer itself acquired a newer one.

        Flush and lease renewal may both find the log lost. The slower one must not mistake the
        regained epoch for a takeover by another process.
        """
        async with self._regain_lock():  # a running regain may already have acquired the new epoch
            return epoch != self.epoch

    def _regain_lock(self) -> asyncio.Lock:
        if self._regaining is None:  # hardly any stream needs one
            self._regaining = asyncio.Lock()
        return self._regaining

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
            if await self._last_logged() != last:
                await log.release(stream_id, epoch)
                raise StaleEpoch
        except StreamNotFound:
            return  # Redis was emptied again
        self.epoch = epoch
        if self._direct is not None:
            self._logged = self._direct.events_of(stream_id)

    async def _last_logged(self) -> int:
        """Read the log's last number, retrying until it answers.

        This writer already holds the lease, so no other process could end the stream.
        """
        while True:
            try:
                return (await self._log.status(self._stream_id)).last
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _take_if_mine(self, status: LogStatus) -> None:
        """Adopt a newer epoch if it was granted to this writer in a reply that was lost.

        Raises:
            StaleEpoch: it belongs to another process.
        """
        epoch = await self._log.acquire(self._stream_id)
        if epoch == status.epoch and status.last == self.state.seq:
            self.epoch = epoch
            return
        if epoch is not None:
            await self._log.release(self._stream_id, epoch)
        raise StaleEpoch

    async def aclose(self) -> None:
        if self._queue is not None and (task := self._queue.task) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
