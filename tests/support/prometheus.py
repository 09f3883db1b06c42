"""Runs a real Prometheus, and its tool that checks rules.

with running_prometheus(tmp_path, targets=["127.0.0.1:8001"], token="...") as prometheus:
    await prometheus.until('up{job="liveai"} == 1')
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import ROOT

START_SECONDS = 60.0
PATIENCE_SECONDS = 60.0
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
UNPACKED = ROOT / "var" / "prometheus" / "usr" / "bin"


def _find(program: str) -> str | None:
    if found := shutil.which(program):
        return found
    unpacked = UNPACKED / program
    return str(unpacked) if unpacked.exists() else None


PROMETHEUS, PROMTOOL = _find("prometheus"), _find("promtool")
"""None: this machine has none, see `scripts/_prometheus`."""

NO_PROMETHEUS = (
    "no Prometheus on this machine, so alerts and queries were not tried. On Debian: apt install"
    " prometheus"
)


def promtool(*arguments: str, cwd: Path = ROOT) -> str:
    """Run promtool, and return what it says.

    Raises:
        AssertionError: it finds a fault.
    """
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """A server that scrapes every second."""

    def __init__(self, folder: Path, targets: Sequence[str], token: str) -> None:
        assert PROMETHEUS is not None
        folder.mkdir(parents=True)
        self.port = free_port()
        self._log = folder / "prometheus.log"
        (folder / "token").write_text(token)
        scrape = {
            "job_name": "liveai",
            "authorization": {"credentials_file": str(folder / "token")},
            "static_configs": [{"targets": list(targets)}],
        }
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config = {"global": every, "scrape_configs": [scrape], "rule_files": [str(ALERTS)]}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        promtool("check", "config", str(folder / "prometheus.yml"))
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                [
                    PROMETHEUS,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._popen.poll() is None, f"Prometheus ended:\n{self.output}"
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/-/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"Prometheus is not ready:\n{self.output}")

    async def ask(self, path: str, **parameters: str) -> Any:
        """Call its API, and return the data of a successful answer."""
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.get(
                f"http://127.0.0.1:{self.port}/api/v1/{path}", params=parameters
            )
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    async def until(self, query: str) -> list[dict[str, Any]]:
        """Ask until the query has a result, and return it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := (await self.ask("query", query=query))["result"]):  # noqa: ASYNC110
                await asyncio.sleep(0.2)  # no event tells of the next scrape
        return list(found)

    def end(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(20)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


@contextlib.contextmanager
def running_prometheus(folder: Path, targets: Sequence[str], token: str) -> Iterator[Prometheus]:
    """Run a Prometheus with the deployed alerts, and end it in any case."""
    prometheus = Prometheus(folder, targets, token)
    try:
        prometheus.wait_until_ready()
        yield prometheus
    finally:
        prometheus.end()
