"""A TCP proxy that injects faults between a client and a server, in the test's own loop.

    async with FaultProxy(server.port) as proxy:
        proxy.fault = Fault(cut_after=2_000)    # applies to new connections
        ... connect to proxy.port ...
        proxy.black_hole()                      # all open ones fall silent

Faults affect bytes on their way to the client. The client's bytes pass, except in a black hole.
Nothing here is random; callers may pass numbers of their own `random.Random`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import Self

_AT_ONCE = 65_536
_STEPS_TO_SERVE = 5  # of the loop, from accepting a connection to the task that serves it
_LINGER_SECONDS = 2.0  # how long a client may keep sending after the proxy has ended the connection


@dataclass(frozen=True)
class Fault:
    """The fault of a connection. The default is none."""

    cut_after: int | None = None  # an orderly end (FIN) after this many bytes to the client
    reset_after: int | None = None  # a broken connection (RST) after this many bytes
    slice_bytes: int = 0  # bytes for each write; 1: every byte separately
    is_black_hole: bool = False  # accepts, then silence in both directions


class FaultProxy:
    """Listens on a fixed loopback port, and forwards to another.

    Attributes:
        fault: of new connections.
        connections: the open ones, each with its own `fault`; see `Connection`.
        accepted: the number of connections so far.
    """

    def __init__(self, target_port: int, fault: Fault = Fault()) -> None:
        self.target_port = target_port
        self.fault = fault
        self.port = 0
        self.accepted = 0
        self.connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._is_over = False

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True  # for one that the loop has accepted, and that begins only later
        await self.refuse()
        for _step in range(_STEPS_TO_SERVE):
            await asyncio.sleep(0)
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self) -> None:
        """Listen, initially or again after `refuse`."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=_AT_ONCE
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening: new connections are refused, open ones continue."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)  # the loop closes the listener in its next iteration

    def cut(self) -> None:
        """End all open connections in an orderly way."""
        for connection in list(self.connections):
            connection.cut()

    def reset(self) -> None:
        """Break all open connections."""
        for connection in list(self.connections):
            connection.reset()

    def black_hole(self) -> None:
        """Silence all open and future connections until `clear`."""
        self.fault = Fault(is_black_hole=True)
        for connection in self.connections:
            connection.set_fault(self.fault)

    def clear(self) -> None:
        """Remove all faults, and forward the bytes that a black hole has withheld."""
        self.fault = Fault()
        for connection in self.connections:
            connection.set_fault(self.fault)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(writer, self.fault)
        if self._is_over:
            return connection.reset()
        self._tasks.add(task)
        self.accepted += 1
        self.connections.add(connection)
        try:
            await connection.forward(reader, self.target_port)
        except (OSError, asyncio.CancelledError):
            pass  # one side has disconnected, or the test is over
        finally:
            connection.reset()
            self.connections.discard(connection)
            self._tasks.discard(task)


class Connection:
    """One client's connection through the proxy.

    `sent` counts the bytes to the client, and `writes` their pieces.
    """

    def __init__(self, client: asyncio.StreamWriter, fault: Fault) -> None:
        self.fault = fault
        self.sent = 0
        self.writes = 0
        self._client = client
        self._server: asyncio.StreamWriter | None = None
        self._passes = asyncio.Event()
        self.set_fault(fault)

    def set_fault(self, fault: Fault) -> None:
        """Change the fault of an open connection; byte counts refer to its whole life."""
        self.fault = fault
        if fault.is_black_hole:
            self._passes.clear()
        else:
            self._passes.set()

    def cut(self) -> None:
        """End the connection in an orderly way. Idempotent."""
        if not self._client.transport.is_closing():
            # Not `close`, which would reset the connection while bytes from the client are unread.
            with contextlib.suppress(OSError):
                self._client.write_eof()
        if self._server is not None:
            self._server.close()

    def reset(self) -> None:
        """Break the connection towards both sides. Idempotent."""
        for writer in (self._client, self._server):
            if writer is None or writer.transport.is_closing():
                continue
            sock = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def forward(self, reader: asyncio.StreamReader, target_port: int) -> None:
        """Forward bytes until either side, or the fault, ends the connection."""
        await self._passes.wait()
        server_reader, self._server = await asyncio.open_connection(
            "127.0.0.1", target_port, limit=_AT_ONCE
        )
        up = asyncio.ensure_future(self._carry_up(reader))
        down = asyncio.ensure_future(self._carry_down(server_reader))
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            if not down.done():
                up.result()  # raises if the client broke off; else it has only stopped sending
            await down
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while await reader.read(_AT_ONCE):
                    pass
        self._client.close()

    async def _carry_up(self, reader: asyncio.StreamReader) -> None:
        assert self._server is not None
        while data := await reader.read(_AT_ONCE):
            await self._passes.wait()
            self._server.write(data)
            await self._server.drain()
        await self._passes.wait()
        self._server.write_eof()

    async def _carry_down(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_AT_ONCE):
            while data:
                await self._passes.wait()
                fault = self.fault
                limits = [n for n in (fault.cut_after, fault.reset_after) if n is not None]
                left = min(limits) - self.sent if limits else len(data)
                piece = data[: min(left, fault.slice_bytes or len(data))] if left > 0 else b""
                if piece:
                    self._client.write(piece)
                    await self._client.drain()
                    self.sent += len(piece)
                    self.writes += 1
                    data = data[len(piece) :]
                    if fault.slice_bytes:
                        await asyncio.sleep(0)
                if limits and self.sent >= min(limits):
                    return self._end_by(fault)
        await self._passes.wait()
        self.cut()

    def _end_by(self, fault: Fault) -> None:
        if fault.reset_after is not None and fault.reset_after <= self.sent:
            self.reset()
        else:
            self.cut()
