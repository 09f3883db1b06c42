"""Servers under load: started on a core of their own, asked for their CPU time, ended by id."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far, of all its threads, to the nanosecond.

        `/proc/PID/stat` counts in steps of 10 ms, too coarse for a window of a few seconds; this
        is the clock that clock_getcpuclockid(3) makes. Linux only.
        """
        return cpu_seconds_of(self.pid)


def cpu_seconds_of(pid: int) -> float:
    """`Server.cpu_seconds`, of any process."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def our_server(core: int | None, *, tokens: int, every_ms: float, streams: int) -> Iterator[Server]:
    """`manage.py serve`, which answers with tokens that say when they were due."""
    script = {"steps": [{"clock": tokens, "every_ms": every_ms}]}
    with scripted_server(core, script, streams=streams) as server:
        yield server


@contextmanager
def scripted_server(
    core: int | None,
    script: Mapping[str, Any],
    *,
    streams: int,
    program: Sequence[str] = (str(ROOT / "manage.py"),),
) -> Iterator[Server]:
    """The one of `scripted_servers`, on the memory log."""
    with scripted_servers(1, core, script, streams=streams, program=program) as servers:
        yield servers[0]


@contextmanager
def scripted_servers(
    count: int,
    core: int | None,
    script: Mapping[str, Any],
    *,
    streams: int,
    redis_url: str = "",
    program: Sequence[str] = (str(ROOT / "manage.py"),),
) -> Iterator[list[Server]]:
    """`manage.py serve` as it is run by people, on a database and a script of their own.

    Args:
        count: so many processes, which are one service where there is a Redis.
        core: their own, or None for any.
        script: see `blocks/providers/script.py`.
        streams: so many at a time, at most, in each process.
        redis_url: empty: the memory log, of one process.
        program: what Python runs in `manage.py`'s place.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        (Path(folder) / "bench.json").write_text(json.dumps(script))
        environment = {
            **os.environ,
            "DJANGO_SECRET_KEY": "benchmark",
            "DJANGO_LOG_LEVEL": "WARNING",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "REDIS_URL": redis_url,
            "AI_MODEL": "scripted:bench",
            "AI_SCRIPTS_DIR": folder,
            "AI_STREAMING_ENABLED": "true",
            "AI_STREAMING_FALLBACK": "true",
            "AI_ALLOW_ANONYMOUS": "true",
            "STREAM_MAX_RUNNING": str(2 * streams),
            "STREAM_DRAIN_SECONDS": "0",
            "LIMIT_SOCKETS_PER_OWNER": "0",
            "LIMIT_SOCKETS_PER_ADDRESS": "0",
            "LIMIT_FRAMES_PER_SECOND": "0",
            "LIMIT_REPLAYED_EVENTS_PER_SECOND": "0",
        }
        manage = [sys.executable, *program]
        subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        servers = []
        for _ in range(count):
            port = _free_port()
            command = [*manage, "serve", "--port", str(port)]
            servers.append(stack.enter_context(_running(command, environment, port, core)))
        yield servers


@contextmanager
def raw_server(core: int | None, *, tokens: int, every_ms: float) -> Iterator[Server]:
    """`raw_asgi.py`."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.load.raw_asgi"]
    arguments = [str(port), str(tokens), str(every_ms)]
    with _running([*command, *arguments], dict(os.environ), port, core) as server:
        yield server


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], port: int, core: int | None
) -> Iterator[Server]:
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})  # threads that it starts later inherit this
        _wait_until_it_listens(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"A server ended with {process.returncode} before it listened.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"A server did not listen within {START_SECONDS:.0f} s.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
