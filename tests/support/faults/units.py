"""Processes of a site by the names of their units, and a `systemctl` that restarts them.

So a test can run `deploy/rolling-restart` as it stands.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.script_copy import put_program
from tests.support.servers.harness import Server

_SYSTEMCTL = f"""#!{sys.executable}
import os, socket, sys
with socket.create_connection(("127.0.0.1", int(os.environ["SYSTEMD_PORT"]))) as systemd:
    systemd.sendall((" ".join(sys.argv[1:]) + "\\n").encode())
    code, _, words = systemd.makefile().read().partition(" ")
print(words)
sys.exit(int(code))
"""

STOP_SECONDS = 60


class Units:
    """Units such as `web@8001` and `worker@1`.

    Args:
        make: begins the process of a unit.
    """

    def __init__(self, make: Callable[[str], Server]) -> None:
        self._make = make
        self.servers: dict[str, Server] = {}
        self.restarted: list[Server] = []
        """Those whose place another process has taken."""

    def start(self, *units: str) -> None:
        """Start processes at the same time, and wait until they are ready."""
        for unit in units:
            self.servers[unit] = self._make(unit)
        for unit in units:
            self.servers[unit].wait_until_listening()

    def restart(self, unit: str) -> None:
        """Do as systemd does: SIGTERM, wait until the process has exited, start another.

        Raises:
            AssertionError: it did not exit in time, not with 0, or logged an exception.
        """
        old = self.servers[unit]
        old.signal(signal.SIGTERM)
        assert old.wait(STOP_SECONDS) == 0, old.output
        old.assert_nothing_broke()
        self.restarted.append(old)
        self.start(unit)

    def end(self) -> None:
        for server in [*self.servers.values(), *self.restarted]:
            server.end()
            server.assert_kept_secrets()

    def say_all(self) -> None:
        for server in [*self.restarted, *self.servers.values()]:
            print(f"--- what {server.kind} {server.pid} said ---\n{server.output}")

    @asynccontextmanager
    async def systemd(self, folder: Path) -> AsyncIterator[Mapping[str, str]]:
        """Answer a `systemctl`; yield the environment of a script that calls it."""
        put_program(folder / "systemctl", _SYSTEMCTL)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            words = (await reader.readline()).decode().split()
            unit = words[-1].removeprefix("liveai-")
            said = "1"
            if words[0] == "restart":
                try:
                    await asyncio.to_thread(self.restart, unit)
                    said = "0"
                except AssertionError as error:
                    said = f"1 {error}"
            elif words[:2] == ["show", "--property=Type"]:
                said = "0 notify"  # `restart` has waited until the worker was ready
            elif words[0] == "show":
                said = "0 { path=python ; argv[]=python manage.py serve --host 127.0.0.1 ; }"
            writer.write(said.encode())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "SYSTEMD_PORT": str(port)}
