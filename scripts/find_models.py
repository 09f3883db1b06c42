"""Asks the model servers of this machine for their models. Contacts only 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from scripts.model_servers import Found, ModelServer, read_models

LIMIT_SECONDS = 0.25  # for all servers together; a start must not wait longer
MAX_BYTES = 1_000_000
PIECE_BYTES = 65_536


def find_models(servers: Sequence[ModelServer]) -> list[Found]:
    """Return the models of all servers that answer in time, in the order of the servers."""
    return asyncio.run(_find(servers))


async def _find(servers: Sequence[ModelServer]) -> list[Found]:
    received: list[bytearray] = [bytearray() for _ in servers]
    asked = [_ask(server, into) for server, into in zip(servers, received, strict=True)]
    with suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_SECONDS):
            await asyncio.gather(*asked)
    return [
        Found(server, name)
        for server, into in zip(servers, received, strict=True)
        for name in read_models(bytes(into))
    ]


async def _ask(server: ModelServer, into: bytearray) -> None:
    """Collect a server's response until it is complete, or as far as it arrives."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(
                f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                "Accept: application/json\r\nConnection: close\r\n\r\n".encode()
            )
            while len(into) < MAX_BYTES and (piece := await reader.read(PIECE_BYTES)):
                into += piece
                if read_models(bytes(into)):
                    return  # a server may keep the connection open
        finally:
            writer.transport.abort()
