"""Reads the lag of an event loop from a server that runs under `metered.py`."""

from __future__ import annotations

import asyncio
import json

METERED = ("-m", "benchmarks.load.metered")
"""Python's arguments before the socket's path and the program."""


class Lag:
    """Measures the lag of a server's loop within an `async with`.

    Args:
        path: the meter's socket.
    """

    def __init__(self, path: str) -> None:
        self.late_ms: list[float] = []
        """How late each of the meter's timers was, in ms; complete after the context."""
        self._path = path

    async def __aenter__(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self._path)

    async def __aexit__(self, *_: object) -> None:
        self._writer.write_eof()
        self.late_ms += json.loads(await self._reader.read())
        self._writer.close()
