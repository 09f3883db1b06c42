"""`deploy/build/`: what is installed and built for a site, from the lock files alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script_copy import FAKE_PYTHON, ROOT, WORKS, fake_environment, put_program, run

NPM = """#!/usr/bin/env bash
echo "npm $*" >>"$CALLS"
case "$*" in *"${NPM_FAILING:-nothing fails}"*) exit 1 ;; esac
[ "$3" != run ] || { mkdir -p "$2/dist" && yes 1 | head -c 5000 >"$2/dist/main.js"; }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    for name in ("deploy", "locks"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def _pip_calls(project: Path) -> list[str]:
    calls = project / "pip-calls"
    return calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize("name", ["build/packages", "build/pages", "image/files", "image/setup"])
def test_it_is_sound_bash_and_can_be_started(name: str) -> None:
    subprocess.run(["bash", "-n", ROOT / "deploy" / name], check=True)
    assert (ROOT / "deploy" / name).stat().st_mode & 0o111


def test_packages_come_from_the_locks_with_their_hashes_checked(project: Path) -> None:
    fake_environment(project)
    done = run([project / "deploy/build/packages", "node", "social", "otel", "model"], project)
    assert done.returncode == 0, done.stderr
    calls = _pip_calls(project)
    names = ["", "-node", "-social", "-otel", "-model"]
    assert [call.rpartition(" ")[2] for call in calls] == [
        f"locks/requirements{name}.txt" for name in names
    ]
    assert all("--no-deps --require-hashes" in call for call in calls)


def test_an_environment_is_made_where_there_is_none(project: Path) -> None:
    environment = FAKE_PYTHON.replace("PYTHON", f'"{sys.executable}"')
    body = f"""{WORKS}[ "$*" = "-m venv .venv" ] && mkdir -p .venv/bin
cat >.venv/bin/python <<'END'
{environment}
END
chmod +x .venv/bin/python
"""
    put_program(project / "python-that-is-named", body)
    named = {"PYTHON": str(project / "python-that-is-named")}
    done = run([project / "deploy/build/packages"], project, **named)
    assert done.returncode == 0, done.stderr
    assert len(_pip_calls(project)) == 1


def test_a_word_that_it_does_not_know_is_refused_before_anything_is_installed(
    project: Path,
) -> None:
    fake_environment(project)
    done = run([project / "deploy/build/packages", "nodes"], project)
    assert done.returncode == 2 and "deploy/build/packages [node]" in done.stderr
    assert _pip_calls(project) == []


def test_it_stops_at_the_first_that_can_not_be_installed(project: Path) -> None:
    fake_environment(project)
    failing = {"FAILING": "locks/requirements.txt", "SAYING": "THESE PACKAGES DO NOT MATCH"}
    done = run([project / "deploy/build/packages", "node"], project, **failing)
    assert done.returncode == 1
    assert len(_pip_calls(project)) == 1


def test_pages_are_installed_built_and_compressed_with_the_environments_node(
    project: Path,
) -> None:
    fake_environment(project)
    put_program(project / ".venv/bin/npm", NPM)
    done = run([project / "deploy/build/pages"], project, CALLS=str(project / "calls"))
    assert done.returncode == 0, done.stderr
    assert (project / "calls").read_text().splitlines() == [
        "npm --prefix frontend ci --include=dev",
        "npm --prefix frontend run build",
    ]
    assert (project / "frontend/dist/main.js.gz").stat().st_size < 1000


def test_pages_that_can_not_be_built_stop_a_roll_out(project: Path) -> None:
    fake_environment(project)
    put_program(project / ".venv/bin/npm", NPM)
    settings = {"CALLS": str(project / "calls"), "NPM_FAILING": "run build"}
    assert run([project / "deploy/build/pages"], project, **settings).returncode == 1
