"""A line to Redis whose replies are told as they come: no task wakes to read them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol


class Reader(Protocol):
    """What is used of hiredis' reader."""

    def feed(self, data: bytes, /) -> Any: ...

    def gets(self) -> Any:
        """The next whole reply; False: there is none yet."""


class Dialler(Protocol):
    """Makes connections to Redis, one at a time."""

    async def connect(self) -> asyncio.Transport:
        """A new connection, ready for commands; nothing is on its way."""

    async def disconnect(self) -> None:
        """Let go of it without waiting. Idempotent."""

    def reader(self) -> Reader: ...

    def pack(self, command: tuple[Any, ...]) -> bytes:
        """A command as Redis reads it."""


class Line(asyncio.Protocol):
    """One connection, from `open` until it is lost.

    Args:
        hear: called with each reply, in their order; errors are replies. What it raises costs the
            connection.
        on_lost: called once, with the error if there is one; not after `close`.
    """

    def __init__(
        self, hear: Callable[[Any], None], on_lost: Callable[[Exception | None], None]
    ) -> None:
        self._hear = hear
        self._on_lost = on_lost
        self._reader: Reader
        self._transport: asyncio.Transport
        self.is_open = False

    async def open(self, dialler: Dialler) -> None:
        """
        Raises:
            Exception: what the dialler raises.
        """
        self._reader = dialler.reader()
        self._transport = await dialler.connect()
        self._transport.set_protocol(self)
        self.is_open = True

    def send(self, packed: bytes) -> None:
        """Never raises: a line that can't be written to is lost."""
        try:
            self._transport.write(packed)
        except RuntimeError:  # uvloop's, of a line that was cut a moment ago
            self._lose(ConnectionResetError("Redis has cut the line."))

    def close(self) -> None:
        """Nothing is told from now on. Idempotent."""
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
            while self.is_open and (reply := reader.gets()) is not False:
                self._hear(reply)
        except Exception as error:  # whatever it is: it is told, and not the event loop's to judge
            self._lose(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        if self.is_open:
            self.close()
            self._on_lost(error)
