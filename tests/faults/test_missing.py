"""Tests that can't run here are reported at the end, or fail where skipping is forbidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers.harness import ROOT

TESTS = """
import pytest
from tests.support.faults.missing import skip_loudly

@pytest.fixture(scope="session")
def server():
    skip_loudly("no server: apt install server")

def test_one(server): pass
def test_two(server): pass
def test_three(): pytest.skip("for another reason")
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_is_missing_is_said_once_at_the_end_of_a_run(tmp_path: Path, workers: str) -> None:
    done = _run(tmp_path, "-n", workers)
    assert done.returncode == 0
    assert done.stdout.count("NOT TESTED") == 1
    assert "\n2 tests were SKIPPED: no server: apt install server\n" in done.stdout
    assert "3 skipped" in done.stdout


def test_where_all_is_required_it_fails(tmp_path: Path) -> None:
    done = _run(tmp_path, LIVEAI_REQUIRE_ALL="1")
    assert done.returncode == 1
    assert "no server: apt install server (LIVEAI_REQUIRE_ALL is set" in done.stdout
    assert "NOT TESTED" not in done.stdout and "1 skipped, 2 errors" in done.stdout


def _run(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_example.py").write_text(TESTS)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LIVEAI_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [
        "-p",
        "tests.support.faults.missing",
        "-c",
        str(ROOT / "pyproject.toml"),
        f"--rootdir={folder}",
    ]
    return subprocess.run(
        [*command, *options, str(folder / "test_example.py")],
        cwd=ROOT,
        env={**environment, **more},
        capture_output=True,
        text=True,
        timeout=120,
    )
