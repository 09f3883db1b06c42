"""The pub/sub channels of a process, all over one connection.

Messages are hints: they may be late, duplicated or lost. `on_restored` reports that messages may
have been missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from ...loop.bell import Bell
from ...loop.fair_timeout import fair_timeout
from ..base import LogUnavailable
from .line import Dialler, Line

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.3
PING_SECONDS = 2.0
UNANSWERED_AT_MOST = 2
"""A connection that has received nothing since this many pings is replaced."""

SUBSCRIBE_AT_MOST = 500
"""Most channels in one command."""


OnMessage = Callable[[bytes], None]


class _Channel:
    """The wanted subscription to one channel: its callback, and whether Redis confirmed it."""

    __slots__ = ("is_confirmed", "on_message")

    def __init__(self, on_message: OnMessage) -> None:
        self.on_message = on_message
        self.is_confirmed = asyncio.Event()


class PubSub:
    """Maintains the wanted subscriptions across lost connections. Belongs to one event loop.

    Args:
        on_restored: called when all subscriptions are restored after a lost connection.
        failures: exceptions that a broken connection raises.
        limit_seconds: how long connecting may take, and how long `want` waits for a confirmation.
    """

    def __init__(
        self,
        dialler: Dialler,
        *,
        on_restored: Callable[[], None],
        failures: tuple[type[Exception], ...],
        limit_seconds: float,
    ) -> None:
        self._dialler = dialler
        self._line: Line | None = None
        self._on_restored = on_restored
        self._failures: tuple[type[Exception], ...] = (*failures, OSError, TimeoutError)
        self._limit_seconds = limit_seconds
        self._wanted: dict[bytes, _Channel] = {}
        self._unsent: list[tuple[bytes, bytes]] = []
        self._bell: Bell
        self._is_connected = False
        self._was_lost = False
        self._unanswered = 0  # pings since the last reply or message
        self._awaited: set[bytes] = set()  # channels that this connection has not confirmed yet
        self._lose: Callable[[Exception | None], None]
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Connect, and stay connected until `aclose`."""
        loop = asyncio.get_running_loop()
        context = contextvars.Context()
        self._bell = Bell()
        self._tasks = [
            loop.create_task(self._keep(), context=context),
            loop.create_task(self._send_queued(), context=context),
            loop.create_task(self._watch(), context=context),
        ]

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def want(self, channel: bytes, on_message: OnMessage) -> None:
        """Subscribe to a channel; returns when Redis confirms it or the channel is dropped.

        Args:
            on_message: called with each message. A wanted channel keeps its first callback.

        Raises:
            LogUnavailable: Redis is unreachable. The channel stays wanted.
        """
        wanted = self._wanted.get(channel)
        if wanted is None:
            wanted = self._wanted[channel] = _Channel(on_message)
            self._queue_command(b"SUBSCRIBE", channel)
        try:
            async with fair_timeout(self._limit_seconds):
                await wanted.is_confirmed.wait()
        except TimeoutError:
            raise LogUnavailable from None

    def drop(self, channel: bytes) -> None:
        """Unsubscribe from a channel. Idempotent."""
        if (wanted := self._wanted.pop(channel, None)) is not None:
            wanted.is_confirmed.set()  # release callers that wait in `want`
            self._queue_command(b"UNSUBSCRIBE", channel)

    def _queue_command(self, command: bytes, channel: bytes) -> None:
        if self._is_connected:  # else connecting subscribes to all wanted channels
            self._unsent.append((command, channel))
            self._bell.ring()

    async def _send_queued(self) -> None:
        """Send the queued commands in order; consecutive ones of the same kind are merged."""
        while True:
            await self._bell.wait()
            unsent, self._unsent = self._unsent, []
            for command, queued in groupby(unsent, key=itemgetter(0)):
                self._send(command, [channel for _, channel in queued])

    def _send(self, command: bytes, channels: Sequence[bytes] = ()) -> None:
        if self._line is None or not self._line.is_open:
            return  # connecting subscribes to all wanted channels
        for begin in range(0, len(channels) or 1, SUBSCRIBE_AT_MOST):
            some = channels[begin : begin + SUBSCRIBE_AT_MOST]
            self._line.send(self._dialler.pack((command, *some)))

    async def _keep(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # any error: the subscriptions must survive it
                if not self._was_lost:
                    name, is_odd = type(error).__name__, not isinstance(error, self._failures)
                    logger.warning("Lost the Redis subscriptions (%s).", name, exc_info=is_odd)
                self._was_lost = True
            finally:
                self._is_connected = False
                for wanted in self._wanted.values():
                    wanted.is_confirmed.clear()
                if self._line is not None:
                    self._line.close()
                with contextlib.suppress(*self._failures):
                    await self._dialler.disconnect()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        """Connect, and receive messages until the connection is lost.

        Raises:
            Exception: the reason why the connection was lost or could not be opened.
        """
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()

        def lose(error: Exception | None) -> None:
            if not lost.done():
                lost.set_exception(error or ConnectionError("Redis closed the connection."))

        self._lose = lose
        async with fair_timeout(self._limit_seconds):
            self._line = Line(self._on_reply, lose)
            await self._line.open(self._dialler)
        self._unsent = []
        self._is_connected = True
        self._unanswered = 0
        self._awaited = set(self._wanted)
        if self._awaited:
            self._send(b"SUBSCRIBE", list(self._awaited))
        await lost

    def _on_reply(self, reply: Any) -> None:
        self._unanswered = 0
        if type(reply) is list and reply[0] == b"message":
            if wanted := self._wanted.get(reply[1]):
                wanted.on_message(reply[2])
        elif isinstance(reply, Exception):
            raise reply
        elif reply[0] == b"subscribe":
            self._subscribed(reply[1])

    def _subscribed(self, channel: bytes) -> None:
        self._awaited.discard(channel)
        if wanted := self._wanted.get(channel):
            wanted.is_confirmed.set()
        if self._was_lost and not self._awaited & self._wanted.keys():
            self._was_lost = False
            logger.warning("Restored the Redis subscriptions.")
            self._on_restored()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            if not self._is_connected:
                continue
            if self._unanswered >= UNANSWERED_AT_MOST:
                self._lose(TimeoutError())
            else:
                self._unanswered += 1
                self._send(b"PING")
