"""No test may hang the run: each has a time limit, and the run names a test that exceeds it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers.harness import ROOT

HANGING = """
import asyncio, pathlib, subprocess, threading
import pytest, pytest_asyncio

def note(words):
    with pathlib.Path(__file__).with_name("ended").open("a") as file:
        print(words, file=file)

@pytest.fixture
def server():
    popen = subprocess.Popen(["sleep", "600"])
    yield popen
    popen.kill()
    popen.wait()
    note("server")

@pytest_asyncio.fixture
async def client():
    yield
    await asyncio.sleep(0)
    note("client")

async def test_that_awaits_what_never_comes(server, client):
    await asyncio.Event().wait()

async def test_that_asks_again_and_again(server, client):
    while True:
        await asyncio.sleep(0.02)

def test_that_waits_for_a_lock(server):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()

@pytest.fixture
def stuck(server):
    threading.Event().wait()

def test_whose_fixture_hangs(stuck):
    pass

def test_after_them():
    pass
"""

DEAF = """
import time

def test_that_swallows_everything():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


def test_a_test_that_hangs_fails_by_name_and_its_servers_end(tmp_path: Path) -> None:
    done = _run(tmp_path, HANGING)
    assert done.returncode == 1, done.stdout + done.stderr
    for name in ("awaits_what_never_comes", "asks_again_and_again", "waits_for_a_lock"):
        assert re.search(rf"^FAILED \S+::test_that_{name}\b", done.stdout, re.M)
    assert re.search(r"^ERROR \S+::test_whose_fixture_hangs\b", done.stdout, re.M)
    assert re.search(r"3 failed, 1 passed, 1 error", done.stdout)
    assert len(re.findall(r"^E +Failed: Timeout", done.stdout, re.M)) == 4
    ended = (tmp_path / "ended").read_text().splitlines()
    assert (ended.count("server"), ended.count("client")) == (4, 2)


def test_a_test_that_can_not_be_interrupted_ends_the_run_and_is_named(tmp_path: Path) -> None:
    done = _run(tmp_path, DEAF)
    assert done.returncode != 0
    assert "in test_that_swallows_everything" in done.stderr


def test_the_backstop_comes_after_every_limit_of_a_test(pytestconfig: pytest.Config) -> None:
    """The backstop ends the whole run, so a marked test must never trigger it within its limit."""
    backstop = float(pytestconfig.getini("faulthandler_timeout"))
    limits = [
        float(found)
        for path in (ROOT / "tests").rglob("test_*.py")
        for found in re.findall(r"mark\.timeout\((\d+)\)", path.read_text("utf-8"))
    ]
    assert limits
    assert max(*limits, float(pytestconfig.getini("timeout"))) < backstop


def _run(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests under the project's own settings, with shorter limits."""
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    for name, seconds in (("timeout", 1), ("faulthandler_timeout", 5)):
        settings, count = re.subn(rf"^{name} = \d+$", f"{name} = {seconds}", settings, flags=re.M)
        assert count == 1, f"pyproject.toml sets no {name}"
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    (folder / "test_example.py").write_text(tests, "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-c", str(folder / "pyproject.toml"), f"--rootdir={folder}", str(folder)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
