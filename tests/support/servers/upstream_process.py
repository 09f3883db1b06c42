"""The test server of an OpenAI-compatible API, as a separate process that counts its calls."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from tests.support.servers.harness import ROOT


@dataclass(frozen=True)
class Counts:
    calls: int
    open_calls: int
    closed_early: int


@dataclass(frozen=True)
class UpstreamProcess:
    base_url: str

    def counts(self) -> Counts:
        with urlopen(self.base_url.removesuffix("/v1") + "/stats", timeout=10) as answer:
            return Counts(**json.load(answer))

    def seconds_until(self, condition: Callable[[Counts], bool]) -> float:
        """Return the time until the counts meet a condition; polls every 10 ms."""
        begun = time.monotonic()
        while not condition(self.counts()):
            assert time.monotonic() - begun < 60, self.counts()
            time.sleep(0.01)
        return time.monotonic() - begun


@contextmanager
def running_upstream() -> Iterator[UpstreamProcess]:
    popen = subprocess.Popen(
        [sys.executable, "-m", "tests.support.blocks.upstream"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert popen.stdout is not None
        yield UpstreamProcess(popen.stdout.readline().strip())
    finally:
        popen.terminate()
        popen.communicate(timeout=10)
