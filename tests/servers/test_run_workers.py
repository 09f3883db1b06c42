"""`scripts/run --workers`: one command starts a web process, workers and Redis; Ctrl+C ends all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.servers.harness import ENVIRONMENT, ROOT, Database, clean_environment, eventually
from tests.support.servers.visitor import Held, Visitor


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def workers_of(supervisor: psutil.Process) -> list[psutil.Process]:
    return [child for child in supervisor.children() if child.cmdline()[-1] == "work"]


async def test_workers_answer_are_replaced_when_they_die_and_end_with_the_rest(
    database: Database, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "log"
    # An empty REDIS_URL selects a Redis of its own, whatever this checkout's .env says.
    environment = {**ENVIRONMENT, "DATABASE_URL": database.url, "REDIS_URL": ""}
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "scripts/run_workers.py", str(port), "2"],
            cwd=ROOT,
            env={**clean_environment(), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    supervisor = psutil.Process(popen.pid)
    try:
        await eventually(lambda: b"Listening on" in log.read_bytes())
        await eventually(lambda: log.read_bytes().count(b"Working") == 2)
        everybody = supervisor.children(recursive=True)
        visitor = await Visitor.arrive(port)
        async with await visitor.ask("speak for a second") as client:
            events = await client.until_end()
        assert events[-1]["type"] == "complete"
        assert Held().take_all(events).text == "tick " * 50

        first = workers_of(supervisor)[0]
        first.kill()
        await eventually(lambda: log.read_bytes().count(b"Working") == 3)
        assert len(workers_of(supervisor)) == 2
        everybody += supervisor.children(recursive=True)

        os.killpg(popen.pid, signal.SIGINT)  # like a terminal
        assert popen.wait(60) == 0
        _, left = psutil.wait_procs(everybody, timeout=30)
        assert left == []
        words = log.read_text()
        assert "Traceback" not in words, words
    finally:
        if popen.poll() is None:
            for process in [*supervisor.children(recursive=True), supervisor]:
                process.kill()
            popen.wait()
