"""Commands of a process to Redis over one connection, many at a time.

What is asked for while others are under way goes out together, so that the cost of a round trip is
shared; nobody waits longer than the limit, whatever Redis does.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..bell import Bell
from .base import LogError, LogUnavailable

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.016
"""At most one exchange in so much time, which is one round of the viewers: under load more commands
share it. After a quiet moment a command goes out at once."""


COMMANDS_AT_MOST = 500
"""In one exchange: it must be done within the limit also when much has come together."""


class Connection(Protocol):
    """What is used of redis-py's connection."""

    async def connect(self) -> None: ...
    async def disconnect(self, nowait: bool = False) -> None: ...
    async def can_read(self) -> bool: ...
    def pack_command(self, *args: Any) -> list[bytes]: ...
    async def send_packed_command(self, command: Any, check_health: bool = True) -> None: ...
    async def read_response(self, *, timeout: float, disconnect_on_error: bool) -> Any: ...


class Unprepared(LogUnavailable):
    """Redis has lost what its connection was prepared with. Nothing was done."""


Command = tuple[Any, ...]
Asked = tuple[Command, asyncio.Future[Any]]


class Pipe:
    """Belongs to one event loop; nothing connects before the first `run`.

    Args:
        connection: of this pipe's own.
        pack: gives a command as Redis reads it. redis-py's own takes several times as long.
        prepare: commands to send first on a connection, and again when that is lost.
        refusal: what an error reply means: the error to raise. LogUnavailable: it may pass;
            Unprepared: it is asked again at once.
        failures: what a connection raises when it breaks.
        limit_seconds: how long an exchange may take.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        pack: Callable[[Command], bytes],
        prepare: Sequence[Command],
        refusal: Callable[[Exception], LogError],
        failures: tuple[type[Exception], ...],
        refusals: tuple[type[Exception], ...],
        limit_seconds: float,
    ) -> None:
        self._connection = connection
        self._pack = pack
        self._prepare = prepare
        self._refusal = refusal
        self._failures: tuple[type[Exception], ...]
        self._failures = (*failures, *refusals, OSError, TimeoutError)
        self._refusals = refusals
        self._limit_seconds = limit_seconds
        self._is_prepared = False
        self._is_failing = False
        self._is_closed = False
        self._failed_at = -math.inf
        self._asked: list[Asked] = []
        self._worker: asyncio.Task[None] | None = None
        self._bell: Bell

    @property
    def steady_seconds(self) -> float:
        """How long ago it broke last; infinite: never."""
        return 0.0 if self._is_failing else asyncio.get_running_loop().time() - self._failed_at

    async def run(self, *command: Any) -> Any:
        """Redis' answer to a command.

        Raises:
            LogUnavailable: Redis can't be reached, or can't do it now. Whether it was done is not
                known.
            LogError: Redis refused.

        Who is cancelled stops waiting; the command may be carried out.
        """
        with contextlib.suppress(Unprepared):
            return await self._ask(command)
        return await self._ask(command)

    def _ask(self, command: Command) -> asyncio.Future[Any]:
        if self._is_closed:
            raise LogUnavailable
        loop = asyncio.get_running_loop()
        if self._worker is None:
            self._bell = Bell()
            self._worker = loop.create_task(self._work(), context=contextvars.Context())
        answer: asyncio.Future[Any] = loop.create_future()
        self._asked.append((command, answer))
        self._bell.ring()
        return answer

    async def aclose(self) -> None:
        """Whatever is under way, and is asked for afterwards, fails with LogUnavailable."""
        self._is_closed = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._fail(self._asked)
        self._asked = []
        await self._connection.disconnect(nowait=True)

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._bell.wait()
            while batch := self._take():
                until = clock() + GATHER_SECONDS
                try:
                    async with asyncio.timeout(self._limit_seconds):
                        await self._exchange(batch)
                except Exception as error:  # whatever it is: it must not end the pipe
                    await self._break(batch, error)
                except BaseException:
                    self._fail(batch)
                    raise
                else:
                    self._mend()
                if 0 < len(self._asked) < COMMANDS_AT_MOST:
                    await asyncio.sleep(until - clock())

    def _take(self) -> list[Asked]:
        asked = self._asked[:COMMANDS_AT_MOST]
        del self._asked[:COMMANDS_AT_MOST]
        return asked

    async def _exchange(self, batch: list[Asked]) -> None:
        connection = self._connection
        if self._is_prepared and await connection.can_read():
            # Nothing is under way: it was closed in a quiet moment.
            await connection.disconnect(nowait=True)
            self._is_prepared = False
        if not self._is_prepared:
            await connection.connect()  # does nothing where it is connected
            await self._converse(self._prepare)
            self._is_prepared = True
        pack = self._pack
        packed = b"".join([pack(command) for command, _ in batch])
        await connection.send_packed_command(packed, check_health=False)
        for _, answer in batch:
            try:
                reply = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
            except self._refusals as error:
                refusal = self._refusal(error)
                if isinstance(refusal, Unprepared):
                    self._is_prepared = False
                if not answer.done():
                    answer.set_exception(refusal)
            else:
                if not answer.done():
                    answer.set_result(reply)

    async def _converse(self, commands: Sequence[Command]) -> None:
        for command in commands:
            packed = self._pack(command)
            await self._connection.send_packed_command(packed, check_health=False)
            await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)

    async def _break(self, batch: list[Asked], error: Exception) -> None:
        if not self._is_failing:
            name, is_odd = type(error).__name__, not isinstance(error, self._failures)
            logger.warning("Redis can't be reached (%s).", name, exc_info=is_odd)
        self._is_failing, self._is_prepared = True, False
        self._failed_at = asyncio.get_running_loop().time()
        # Who has asked meanwhile, too: nobody waits for two limits.
        self._fail([*batch, *self._asked])
        self._asked.clear()
        with contextlib.suppress(*self._failures):
            await self._connection.disconnect(nowait=True)

    def _mend(self) -> None:
        if self._is_failing:
            self._is_failing = False
            logger.warning("Redis can be reached again.")

    @staticmethod
    def _fail(batch: list[Asked]) -> None:
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(LogUnavailable())
