"""A connection to Redis that delivers replies by callback: no task wakes to read them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol


class Reader(Protocol):
    """The part of hiredis' reader that is used here."""

    def feed(self, data: bytes, /) -> Any: ...

    def gets(self) -> Any:
        """Return the next complete reply; False if there is none yet."""


class Dialler(Protocol):
    """Makes connections to Redis, one at a time."""

    async def connect(self) -> asyncio.Transport:
        """Open a connection that is ready for commands and has no reply in flight."""

    async def disconnect(self) -> None:
        """Drop the connection without waiting. Idempotent."""

    def reader(self) -> Reader: ...

    def pack(self, command: tuple[Any, ...]) -> bytes:
        """Encode a command for Redis."""


class Line(asyncio.Protocol):
    """One connection, from `open` until it is lost.

    Args:
        on_reply: called with each reply in order; errors are replies. If it raises, the connection
            closes.
        on_lost: called once, with the error if there is one; not called after `close`.
    """

    def __init__(
        self, on_reply: Callable[[Any], None], on_lost: Callable[[Exception | None], None]
    ) -> None:
        self._on_reply = on_reply
        self._on_lost = on_lost
        self._reader: Reader
        self._transport: asyncio.Transport
        self.is_open = False

    async def open(self, dialler: Dialler) -> None:
        """Connect through the dialler.

        Raises:
            Exception: any error of the dialler.
        """
        self._reader = dialler.reader()
        self._transport = await dialler.connect()
        self._transport.set_protocol(self)
        self.is_open = True

    def send(self, packed: bytes) -> None:
        """Send bytes. Never raises: a failed write loses the connection."""
        try:
            self._transport.write(packed)
        except RuntimeError:  # uvloop raises this if the connection has just been cut
            self._lose(ConnectionResetError("Redis cut the connection."))

    def close(self) -> None:
        """Close the connection; no callback runs afterwards. Idempotent."""
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
            while self.is_open and (reply := reader.gets()) is not False:
                self._on_reply(reply)
        except Exception as error:  # any error: report it to `on_lost`, not to the event loop
            self._lose(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        if self.is_open:
            self.close()
            self._on_lost(error)
