"""Runs a server's program with a meter of its event loop's lag.

`python -m benchmarks.load.metered SOCKET PROGRAM [args]` runs the file or module PROGRAM. After
uvicorn has started, it listens on the Unix socket. The meter measures from a connection to the end
of the client's input, then sends how late each of its timers was: a JSON list, in ms. A timer is as
late as the longest pause of the loop around it. Between measurements the meter costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
import time
from pathlib import Path

import uvicorn

EVERY_SECONDS = 0.005


class Meter:
    """Notes how late each of its timers is."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._begin()

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._tick)

    def _tick(self) -> None:
        self.late_ms.append(max(0.0, time.monotonic() - self._began - EVERY_SECONDS) * 1000)
        self._begin()

    def stop(self) -> None:
        self._timer.cancel()


async def measure(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client of the meter."""
    meter = Meter()
    await reader.read()
    meter.stop()
    writer.write(json.dumps(meter.late_ms).encode())
    await writer.drain()
    writer.close()


def main() -> None:
    path, program, *sys.argv[1:] = sys.argv[1:]
    start = uvicorn.Server.startup

    async def startup(self: uvicorn.Server, *args: object, **named: object) -> None:
        await start(self, *args, **named)  # type: ignore[arg-type]
        self.meter = await asyncio.start_unix_server(measure, path)  # type: ignore[attr-defined]

    uvicorn.Server.startup = startup  # type: ignore[method-assign]
    if program.endswith(".py"):
        sys.path.insert(0, str(Path(program).parent))
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
