"""Pipelined commands of a process to Redis, over one connection.

Commands that arrive during an exchange are sent together in the next one, so they share the cost of
a round trip. No exchange exceeds the time limit, whatever Redis does.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...loop.bell import Bell
from ...loop.fair_timeout import fair_timeout
from ..base import LogError, LogUnavailable
from .line import Dialler, Line

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.018
"""Minimum interval between exchanges under load, so that more commands share one.

After an idle interval a command is sent immediately. The value slightly exceeds a viewers' round:
rounds then align with the replies, and no viewer waits for both."""

PROBE_SECONDS = 0.25
"""Retry interval while Redis is unreachable."""

COMMANDS_AT_MOST = 500
"""Most commands in one exchange, so that a large backlog still finishes within the time limit."""


class Unprepared(LogUnavailable):
    """Redis has lost the prepared state (its scripts). The command was not executed."""


Command = tuple[Any, ...]
Asked = tuple[Command, asyncio.Future[Any]]


class Pipe:
    """Belongs to one event loop; connects on the first `run`.

    Args:
        prepare: commands to send first on each connection, and again when Redis loses their effect.
        error_replies: the types of error replies.
        error_of: maps an error reply to the error to raise. LogUnavailable means that the condition
            may pass; Unprepared means that the command is retried immediately.
        failures: exceptions that connecting or a broken connection raises.
        limit_seconds: how long an exchange may take.
        on_back: called when Redis is reachable again after an outage.
    """

    def __init__(
        self,
        dialler: Dialler,
        *,
        prepare: Sequence[Command],
        error_of: Callable[[Exception], LogError],
        failures: tuple[type[Exception], ...],
        error_replies: tuple[type[Exception], ...],
        limit_seconds: float,
        on_back: Callable[[], None] = lambda: None,
    ) -> None:
        self._dialler = dialler
        self._prepare = prepare
        self._error_of = error_of
        self._failures: tuple[type[Exception], ...]
        self._failures = (*failures, LogError, OSError, TimeoutError)
        self._error_replies = error_replies
        self._limit_seconds = limit_seconds
        self._on_back = on_back
        self._line: Line | None = None
        self._is_prepared = False
        self._is_failing = False  # the last attempt failed
        self.has_answered = False
        """Whether Redis has ever replied."""
        self.is_unreachable = False
        """Whether commands fail immediately, without waiting for the next probe."""
        self._is_closed = False
        self._failed_at = -math.inf
        self._failing_since = 0.0
        self._asked: list[Asked] = []
        self._under_way: deque[asyncio.Future[Any]] = deque()
        self._exchanged: asyncio.Future[Any]
        self._worker: asyncio.Task[None] | None = None
        self._bell: Bell

    @property
    def steady_seconds(self) -> float:
        """Seconds since the last failure; 0 while failing, infinite if none has occurred."""
        return 0.0 if self._is_failing else asyncio.get_running_loop().time() - self._failed_at

    @property
    def unreachable_seconds(self) -> float:
        """Seconds for which every attempt has failed; 0 if the last one succeeded."""
        if not self._is_failing:
            return 0.0
        return asyncio.get_running_loop().time() - self._failing_since

    async def run(self, *command: Any) -> Any:
        """Execute a command, and return Redis' reply.

        Raises:
            LogUnavailable: Redis is unreachable, or can't execute the command now; it may have been
                executed. Raised immediately during a known outage, while the pipe probes Redis.
            LogError: Redis rejected the command.

        Cancelling stops the wait; Redis may still execute the command.
        """
        with contextlib.suppress(Unprepared):
            return await self._ask(command)
        return await self._ask(command)

    async def run_all(self, commands: Iterable[Command]) -> list[Any]:
        """Execute many commands, without a task or a coroutine for each.

        Returns:
            Redis' reply to each, or the exception that `run` would raise.
        """
        commands = list(commands)
        try:
            replies = await self._ask_all(commands)
            if unprepared := [n for n, reply in enumerate(replies) if type(reply) is Unprepared]:
                again = await self._ask_all([commands[n] for n in unprepared])
                for n, reply in zip(unprepared, again, strict=True):
                    replies[n] = reply
        except LogUnavailable as error:  # nothing was asked
            return [error] * len(commands)
        return replies

    async def _ask_all(self, commands: Sequence[Command]) -> list[Any]:
        return await asyncio.gather(*map(self._ask, commands), return_exceptions=True)

    def _ask(self, command: Command) -> asyncio.Future[Any]:
        if self._is_closed or self.is_unreachable:
            raise LogUnavailable
        if self._worker is None:
            loop = asyncio.get_running_loop()
            self._bell = Bell()
            self._worker = loop.create_task(self._work(), context=contextvars.Context())
        answer = self._new_answer()
        self._asked.append((command, answer))
        self._bell.ring()
        return answer

    async def aclose(self) -> None:
        """Close the connection; pending and later commands fail with LogUnavailable."""
        self._is_closed = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._fail(self._asked)
        self._asked = []
        await self._hang_up()

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._bell.wait()
            while batch := self._take():
                until = clock() + GATHER_SECONDS
                try:
                    async with fair_timeout(self._limit_seconds):
                        await self._exchange(batch)
                except Exception as error:  # any error: the pipe must survive it
                    await self._break(batch, error)
                except BaseException:
                    self._fail(batch)
                    raise
                if 0 < len(self._asked) < COMMANDS_AT_MOST:
                    await asyncio.sleep(until - clock())
            while self.is_unreachable:
                await asyncio.sleep(PROBE_SECONDS)
                await self._probe()

    async def _probe(self) -> None:
        """Check whether Redis is back: connect, and prepare the connection."""
        try:
            async with fair_timeout(self._limit_seconds):
                await self._exchange([])
        except Exception as error:  # any error: the pipe must survive it
            await self._break([], error)
        else:
            self.is_unreachable = False
            self._succeed()
            self._on_back()

    def _take(self) -> list[Asked]:
        asked = self._asked[:COMMANDS_AT_MOST]
        del self._asked[:COMMANDS_AT_MOST]
        return asked

    async def _exchange(self, batch: list[Asked]) -> None:
        if self._line is None or not self._line.is_open:  # it may be lost while idle
            await self._hang_up()
            self._line = Line(self._on_reply, self._on_lost)
            await self._line.open(self._dialler)
        if not self._is_prepared:
            asked = [(command, self._new_answer()) for command in self._prepare]
            for _, answer in asked:
                answer.add_done_callback(_retrieve_error)
            await self._converse(asked)
            self._is_prepared = True
            for _, answer in asked:
                answer.result()
        if batch:
            await self._converse(batch)

    async def _converse(self, batch: list[Asked]) -> None:
        """Send commands, and wait until each has its reply."""
        assert self._line is not None and not self._under_way
        if not self._line.is_open:
            raise ConnectionError("Redis closed the connection.")
        pack = self._dialler.pack
        self._under_way.extend([answer for _, answer in batch])
        self._exchanged = self._new_answer()
        self._line.send(b"".join([pack(command) for command, _ in batch]))
        await self._exchanged

    def _on_reply(self, reply: Any) -> None:
        answer = self._under_way.popleft()
        if self._is_prepared:
            self._succeed()
        if isinstance(reply, self._error_replies):
            error = self._error_of(reply)
            if isinstance(error, Unprepared):
                self._is_prepared = False
            if not answer.done():
                answer.set_exception(error)
        elif not answer.done():
            answer.set_result(reply)
        if not self._under_way and not self._exchanged.done():
            self._exchanged.set_result(None)

    def _on_lost(self, error: Exception | None) -> None:
        if self._under_way and not self._exchanged.done():
            self._exchanged.set_exception(error or ConnectionError("Redis closed the connection."))

    def _succeed(self) -> None:
        self.has_answered = True
        if self._is_failing:
            self._is_failing = False
            logger.warning("Redis can be reached again.")

    @staticmethod
    def _new_answer() -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    async def _hang_up(self) -> None:
        self._is_prepared = False
        self._under_way.clear()
        if self._line is not None:
            self._line.close()
            self._line = None
        with contextlib.suppress(*self._failures):
            await self._dialler.disconnect()

    async def _break(self, batch: list[Asked], error: Exception) -> None:
        if not self._is_failing:
            name, is_odd = type(error).__name__, not isinstance(error, self._failures)
            logger.warning("Redis can't be reached (%s).", name, exc_info=is_odd)
        # After a first lost connection, the next command reconnects. After a timeout or a second
        # failure Redis counts as unreachable. Otherwise every command would wait for the full limit
        # and delay work that needs no Redis.
        self.is_unreachable = self._is_failing or isinstance(error, TimeoutError)
        self._failed_at = asyncio.get_running_loop().time()
        if not self._is_failing:
            self._failing_since = self._failed_at
        self._is_failing = True
        # Fail the queued commands as well, so that no caller waits for two limits.
        self._fail([*batch, *self._asked])
        self._asked.clear()
        await self._hang_up()

    @staticmethod
    def _fail(batch: list[Asked]) -> None:
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(LogUnavailable())


def _retrieve_error(answer: asyncio.Future[Any]) -> None:
    """Retrieve the error, so that asyncio does not report it as never retrieved."""
    if not answer.cancelled():
        answer.exception()
