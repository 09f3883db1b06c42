"""Asks the model servers of this machine for their models. Contacts only 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from scripts.model_servers import Answer, ModelServer, is_complete

LIMIT_SECONDS = 0.25  # for all servers together; a start must not wait longer
ASKED_FOR_SECONDS = 3.0  # the same, if the user wants a model of theirs
MAX_BYTES = 1_000_000
PIECE_BYTES = 65_536


def find_models(servers: Sequence[ModelServer], *, is_asked_for: bool = False) -> list[Answer]:
    """Return what each server answered in time, in the order of the servers."""
    seconds = ASKED_FOR_SECONDS if is_asked_for else LIMIT_SECONDS
    return asyncio.run(_find(servers, seconds))


async def _find(servers: Sequence[ModelServer], seconds: float) -> list[Answer]:
    received: list[bytearray | None] = [None for _ in servers]

    async def ask(index: int, server: ModelServer) -> None:
        """Collect a server's response until it is complete, or as far as it arrives."""
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            into = received[index] = bytearray()
            try:
                writer.write(
                    f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                    "Accept: application/json\r\nConnection: close\r\n\r\n".encode()
                )
                while len(into) < MAX_BYTES and (piece := await reader.read(PIECE_BYTES)):
                    into += piece
                    if is_complete(bytes(into)):
                        return  # the server may keep the connection open
            finally:
                writer.transport.abort()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(ask(*each) for each in enumerate(servers)))
    return [
        Answer(server, None if into is None else bytes(into))
        for server, into in zip(servers, received, strict=True)
    ]
