"""httpx over a Unix socket, on asyncio's own streams.

httpcore takes anyio's Unix sockets by default. Under uvloop, a read that is cancelled in the moment
in which data arrives makes these log "InvalidStateError" with a traceback (anyio 4.16).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class UnixSocketTransport(httpx.AsyncHTTPTransport):
    """A transport to the server that listens at `path`; each request has its own connection."""

    def __init__(self, path: str) -> None:
        super().__init__()
        # httpx has no argument for a network backend.
        self._pool = httpcore.AsyncConnectionPool(
            uds=path,
            network_backend=_UnixSockets(),
            max_connections=None,
            max_keepalive_connections=0,
        )


class _UnixSockets(httpcore.AsyncNetworkBackend):
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_unix_connection(path)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(reader, writer)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        # At once: a server that no longer reads must not hold a cancelled request.
        self._writer.transport.abort()
