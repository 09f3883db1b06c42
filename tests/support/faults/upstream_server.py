"""Runs the provider of the fault tests (`upstream.py`) as a process and queries it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from tests.support.faults.redis_server import free_port
from tests.support.faults.upstream import KeyStats
from tests.support.servers.harness import ROOT


class UpstreamServer:
    """One process at a fixed port. Its counts are lost when it dies."""

    def __init__(self) -> None:
        self.port = free_port()
        self._popen: subprocess.Popen[str] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a server that uses this provider."""
        return {
            "AI_MODEL": "openai:planned",
            "AI_BASE_URL": self.base_url,
            "AI_API_KEY": "sk-test",
        }

    def start(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.support.faults.upstream", "--port", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stdout is not None
        assert self._popen.stdout.readline().strip() == self.base_url

    def kill(self) -> None:
        """Kill the process with SIGKILL. Idempotent."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.communicate()
            self._popen = None

    def stats(self) -> dict[str, KeyStats]:
        """Return the counts of all called keys."""
        with urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=30) as answer:
            return {key: KeyStats(**one) for key, one in json.load(answer).items()}

    def stats_of(self, key: str) -> KeyStats:
        return self.stats().get(key, KeyStats())

    def release(self, key: str) -> None:
        """Release the answers of a plan with `hold`, current and future."""
        url = f"http://127.0.0.1:{self.port}/release?key={key}"
        with urlopen(url, data=b"", timeout=30) as answer:
            answer.read()

    def wait_until_closed(self, *, timeout_seconds: float = 30.0) -> float:
        """Wait until no call is open; return how long that took, in seconds."""
        begun = time.monotonic()
        while any(one.open for one in self.stats().values()):
            assert time.monotonic() - begun < timeout_seconds, self.stats()
            time.sleep(0.01)
        return time.monotonic() - begun


@contextmanager
def running_upstream() -> Iterator[UpstreamServer]:
    server = UpstreamServer()
    try:
        server.start()
        yield server
    finally:
        server.kill()
