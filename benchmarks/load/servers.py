"""Servers under load: started on a core of their own, measured by CPU time, ended by process id."""

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
from typing import IO, Any

from tests.support.servers.harness import NO_LIMITS

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time of all its threads so far, to the nanosecond.

        `/proc/PID/stat` counts in steps of 10 ms, which is too coarse for a window of a few
        seconds. This uses the clock of clock_getcpuclockid(3). Linux only.
        """
        return cpu_seconds_of(self.pid)


def cpu_seconds_of(pid: int) -> float:
    """Return the same as `Server.cpu_seconds`, for any process."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def our_server(core: int | None, *, tokens: int, every_ms: float, streams: int) -> Iterator[Server]:
    """Run `manage.py serve`, which answers with tokens that hold their due times."""
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
    limits: Mapping[str, str] = NO_LIMITS,
    settings: Mapping[str, str] = {},
) -> Iterator[Server]:
    """Run one server of `scripted_servers`, on the memory log."""
    with scripted_servers(
        1, core, script, streams=streams, program=program, limits={**limits, **settings}
    ) as servers:
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
    limits: Mapping[str, str] = NO_LIMITS,
) -> Iterator[list[Server]]:
    """Run `manage.py serve` as people do, with a database and a script of its own.

    Args:
        count: number of processes, which form one service if there is a Redis.
        core: the core of the processes, or None for any.
        script: see `blocks/providers/script.py`.
        streams: the maximum of concurrent streams in each process.
        redis_url: empty selects the memory log, for one process.
        program: replaces `manage.py` on Python's command line.
        limits: the settings `LIMIT_*`; one visitor starts the whole load.
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
            **limits,
        }
        manage = [sys.executable, *program]
        subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        servers = []
        for _ in range(count):
            port = free_port()
            command = [*manage, "serve", "--port", str(port)]
            servers.append(stack.enter_context(running(command, environment, port, core)))
        yield servers


@contextmanager
def raw_server(core: int | None) -> Iterator[Server]:
    """Run `peers/raw_asgi.py`, which answers as a prompt says."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.raw_asgi", str(port)]
    with running(command, dict(os.environ), port, core) as server:
        yield server


@contextmanager
def running(
    command: list[str],
    environment: dict[str, str],
    port: int,
    core: int | None,
    *,
    stderr: IO[bytes] | None = None,
) -> Iterator[Server]:
    """Run a server that listens on a port, and end it by its process id."""
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr
    )
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
