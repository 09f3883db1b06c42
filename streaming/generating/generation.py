"""One generation: runs a block and writes its stream, from first token to terminal event."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from django.utils import timezone

from blocks.continuation import Earlier
from blocks.delta import Done, Item, Reset, Text, Thinking, Usage
from blocks.errors import GenerationError, RequestRejected
from blocks.providers.registry import ProviderPool
from blocks.runtime import engine
from blocks.runtime.meter import Meter
from blocks.spec import BlockSpec

from ..access.owners import UserId
from ..event_log.base import EventLog, LogEnded, LogError, StaleEpoch
from ..loop.gate import Gate
from ..loop.log_ids import fresh_context
from ..metrics.counted import count_first_token
from ..models import Stream
from ..protocol import events
from ..protocol.codes import STREAM_ERRORS
from ..protocol.events import CancelledBy, Event
from ..protocol.state import StreamState
from .line import Line, Ticket, wait_in_line
from .thinking import ThinkingTime
from .writer import MarkReached, Writer

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0
"""How long a provider may take to close. After that the stream's end is written anyway."""

MESSAGES = {
    "internal": "Something went wrong on our side.",
    "output_too_long": "The answer exceeded the maximum length.",
    "deadline_exceeded": "The answer took too long.",
    "shutting_down": "The server restarted before the answer was finished. Please try again.",
    "unauthorized": "Your session has ended.",
    "generator_lost": "The server stopped before the answer was finished.",
    "store_unavailable": "The answer couldn't be saved. Please try again.",
    "over_capacity": "No place became free in time. Please try again.",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a generation ends before its answer is complete."""

    kind: Literal["answered", "cancelled", "error", "taken_over", "handed_over"]
    by: CancelledBy = "owner"
    code: str = ""


WRITTEN = (Text, Item, Reset)

TAKEN_OVER = Stop("taken_over")
"""Another process presumed this one dead and took the stream over: write nothing more."""

ANSWERED = Stop("answered")
"""The engine has finished, or failed."""

TOO_LATE = Stop("error", code="deadline_exceeded")

WAITED_TOO_LONG = Stop("error", code="over_capacity")

HANDED_OVER = Stop("handed_over")
"""This process shuts down: save the stream, and let another process continue it."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The point at which a generation starts or resumes a stream."""

    state: StreamState = field(default_factory=StreamState)  # its `seq` is the last number used
    so_far: str = ""  # text from which the provider continues
    is_void: bool = False  # viewers receive a reset and discard the earlier output
    elapsed_seconds: float = 0.0  # since the stream's first generation began


class Generation:
    """Supervises one run of the engine, which is a separate task.

    A stop closes the provider first, then writes the end. Only this class decides how a stream
    ends, and it decides once.

    Args:
        row: the stream's row; its times and usage are kept up to date in memory.
        line: gives it a place; while it waits for one, no provider is called.
        wait_seconds: how long it may wait for a place.
        beginning: the output of earlier generators, and how to resume.
        save_last: writes the generation's final state to the row. If the log does not survive this
            process, it is called before the end becomes visible, else afterwards. On a handover
            it saves the output so far.
        on_news: called before it writes something, unless it awaits a save.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        row: Stream,
        spec: BlockSpec,
        *,
        log: EventLog,
        epoch: int,
        beginning: Beginning,
        providers: ProviderPool,
        line: Line,
        wait_seconds: float,
        deadline_seconds: float,
        save_last: Callable[[Generation], Awaitable[None]],
        on_news: Callable[[Generation], None],
        now: Callable[[], float],
    ) -> None:
        self.row = row
        row.__dict__ = {**row.__dict__}  # half the size: Django fills it one by one, with room
        self.spec = spec
        self.writer = Writer(log, row.id, epoch, state=beginning.state, mark=row.mark)
        self.saved: dict[str, Any] = {}  # the row's columns as last saved; the saver updates them
        self.awaits_save = False
        """Whether the saver will look at it by itself. The saver changes it."""
        self.has_ended = Gate()
        """Set when the generation has finished and no longer counts as running."""
        self._log = log
        self._providers = providers
        self._beginning = beginning
        self._line = line
        self._ticket: Ticket | None = None
        self._wait_seconds = wait_seconds
        self._deadline_seconds = deadline_seconds
        self._save_last = save_last
        self._on_news = on_news
        self._now = now
        self.begun = now()
        self._elapsed_before = beginning.elapsed_seconds
        self._done: Done | None = None
        self._used = Usage(
            row.input_tokens or 0, row.output_tokens or 0, is_estimated=row.usage_is_estimated
        )
        self._meter = Meter()
        self._thinking = ThinkingTime(now)
        self._gathered = None if row.is_streaming else engine.Gathered()
        self.is_taken_over = False
        self.is_request_rejected = False
        """Whether another generator has taken the stream over."""
        self._stop: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()

    @property
    def stream_id(self) -> str:
        return self.row.id

    @property
    def is_ending(self) -> bool:
        """Whether the end is decided and is being written to the log and the row."""
        return self.writer.is_sealed

    def stop(self, why: Stop) -> None:
        """End the generation. The first reason counts; none does once the answer is complete."""
        if why is TAKEN_OVER:
            self.is_taken_over = True  # even if the answer is complete and its end is being written
        if not self._stop.done():
            self._stop.set_result(why)

    async def run(self) -> None:
        """Generate until the stream's end is in the log, or the stream belongs to another process.

        Never raises.
        """
        try:
            terminal = await self._produce()
            if terminal is not None:
                await self._write_end(terminal)
        except (LogEnded, StaleEpoch):
            self.is_taken_over = True
        except LogError:
            logger.exception("The log of stream %s rejected its terminal event.", self.stream_id)
        except Exception:
            logger.exception("The generation of stream %s crashed.", self.stream_id)
            with contextlib.suppress(Exception):  # a stream must not stay without an end
                await self._write_end(self._error("internal"))
        finally:
            await self.writer.aclose()
            await self._log.release(self.stream_id, self.writer.epoch)

    async def _produce(self) -> Event | None:
        """Run the engine until it finishes or is stopped.

        Returns:
            The terminal event; None if another process continues the stream.
        """
        if self._stop.done():  # call no provider
            return await self._terminal_of(self._stop.result())
        row, line = self.row, self._line
        ticket = self._ticket = line.take_for(row)
        try:
            if ticket.is_waiting:
                seconds = self._wait_seconds - (timezone.now() - row.created_at).total_seconds()
                too_late = partial(self.stop, WAITED_TOO_LONG)
                await wait_in_line(
                    line, ticket, self._stop, self.writer, seconds=seconds, too_late=too_late
                )
                self.begun = self._now()
            if self._stop.done():
                return await self._terminal_of(self._stop.result())
            return await self._run_engine()
        finally:
            line.give_back(ticket)

    def leave_line(self) -> None:
        """Hand the stream over if it waits for a place; it has no output that its block minds."""
        if self._ticket is not None and self._ticket.is_waiting:
            self.stop(HANDED_OVER)

    def sign_in(self, owner: str, user_id: UserId) -> None:
        """Follow an anonymous visitor who has signed in."""
        self.row.owner, self.row.user_id = owner, user_id
        if self._ticket is not None:
            self._line.sign_in(self._ticket)

    async def _run_engine(self) -> Event | None:
        pump = asyncio.get_running_loop().create_task(self._pump(), context=fresh_context())
        try:
            return await self._supervise(pump)
        finally:
            if not pump.cancelling():  # a second cancel would interrupt the provider's close
                pump.cancel()

    async def _supervise(self, pump: asyncio.Task[None]) -> Event | None:
        pump.add_done_callback(lambda _: self.stop(ANSWERED))
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(self._deadline_seconds, self.stop, TOO_LATE)
        try:
            stop = await self._stop
        finally:
            deadline.cancel()
        if pump.done():
            return self._outcome(pump)
        pump.cancel()
        await asyncio.wait({pump}, timeout=CLOSE_SECONDS)
        if not pump.done():
            logger.warning("The provider of stream %s is slow to close.", self.stream_id)
        elif not pump.cancelled():
            pump.exception()  # retrieve it, so that asyncio does not log an error of the close
        return await self._terminal_of(stop)

    async def _terminal_of(self, stop: Stop) -> Event | None:
        if stop.kind in ("taken_over", "handed_over"):
            if stop.kind == "handed_over":
                await self.writer.drained()
                self.writer.seal()
                await self._save_last(self)
            return None
        await self._put_gathered()
        self.writer.seal()
        if stop.kind == "cancelled":
            return events.cancelled(self.stream_id, self.writer.next_seq, by=stop.by)
        return self._error(stop.code)

    async def _pump(self) -> None:
        row, writer, thinking = self.row, self.writer, self._thinking
        is_synchronous, has_begun = writer.is_synchronous, row.ttft_ms is not None
        run = engine.run(
            self.spec,
            row.prompt,
            row.options,
            providers=self._providers,
            seed=row.id,
            streaming=row.is_streaming,
            gathered=self._gathered,
            meter=self._meter,
            so_far=self._beginning.so_far,
            earlier=Earlier.from_json(row.earlier),
        )
        async with aclosing(run) as deltas:
            row.started_at = row.started_at or timezone.now()
            self._on_news(self)
            if self._beginning.is_void:
                await writer.put(Reset("recovered"))
            async for delta in deltas:
                if isinstance(delta, WRITTEN):
                    if not has_begun:
                        has_begun = True
                        row.ttft_ms = self._elapsed_ms()
                        if row.is_streaming:
                            count_first_token(row.block_type, row.ttft_ms / 1000)
                    if not self.awaits_save:
                        self._on_news(self)
                    if is_synchronous:
                        writer.put_now(delta)
                    else:
                        await writer.put(delta)
                    thinking.end()
                elif isinstance(delta, Thinking):
                    thinking.tell(writer)
                elif isinstance(delta, Usage):
                    self._used += delta
                else:
                    self._done = delta

    async def _put_gathered(self) -> None:
        """Write what has been generated of an answer that is delivered in one piece."""
        if self._gathered is None:
            return
        with contextlib.suppress(MarkReached):
            for delta in self._gathered.take():
                if isinstance(delta, Usage):
                    self._used += delta
                elif isinstance(delta, Text | Item):
                    await self.writer.put(delta)

    def note_usage(self) -> None:
        """Update the row's usage, including the call in progress."""
        row, used, under_way = self.row, self._used, self._meter.usage
        if under_way is not None:
            used += under_way
        if row.input_tokens is not None or used != Usage(0, 0):
            row.input_tokens, row.output_tokens = used.input_tokens, used.output_tokens
            row.usage_is_estimated = used.is_estimated

    def _outcome(self, pump: asyncio.Task[None]) -> Event:
        row = self.row
        if pump.cancelled():
            return self._error("internal")
        match pump.exception():
            case None if self._done is not None:
                self.note_usage()
                return events.complete(
                    self.stream_id,
                    self.writer.next_seq,
                    finish_reason=self._done.finish_reason,
                    input_tokens=row.input_tokens or 0,
                    output_tokens=row.output_tokens or 0,
                    is_estimated=row.usage_is_estimated,
                    ttft_ms=row.ttft_ms,
                    duration_ms=self._elapsed_ms(),
                    result=self._done.result,
                    dropped=self._done.dropped,
                )
            case GenerationError() as failed:
                self.is_request_rejected = isinstance(failed, RequestRejected)
                if failed.detail != failed.message:
                    logger.warning("Stream %s failed: %s", self.stream_id, failed.detail)
                return events.error(
                    self.stream_id,
                    self.writer.next_seq,
                    code=failed.code,
                    message=failed.message,
                    retryable=failed.retryable,
                )
            case MarkReached():
                return self._error("output_too_long")
            case LogEnded() | StaleEpoch() as taken_over:
                raise taken_over
            case LogError():
                return self._error("store_unavailable")
            case unexpected:
                logger.error(
                    "The block of stream %s crashed.", self.stream_id, exc_info=unexpected or True
                )
                return self._error("internal")

    def _error(self, code: str) -> Event:
        return events.error(
            self.stream_id,
            self.writer.next_seq,
            code=code,
            message=MESSAGES[code],
            retryable=STREAM_ERRORS[code],
        )

    async def _write_end(self, terminal: Event) -> None:
        await self.writer.drained()
        self.row.ended_at = timezone.now()
        self.row.earlier = None
        self.note_usage()
        if not self._log.survives_process:
            # Only the row survives a crash: it must hold the same end that viewers see.
            self.writer.prepare_end(terminal)
            await self._save_last(self)
        if self.is_taken_over:
            return
        await self.writer.end(terminal)
        if self._log.survives_process:
            await self._save_last(self)  # the log is authoritative; the row follows

    def _elapsed_ms(self) -> int:
        return round((self._now() - self.begun + self._elapsed_before) * 1000)
