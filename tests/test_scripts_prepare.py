"""`scripts/prepare.py`: from the settings to the server, in one copy of the project.

The first run prepares the copy and compiles its modules; the other runs build on it.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from tests.support.script_copy import copy_project, run

PORT = "8123"  # the recorder does not listen
SITE = f"http://127.0.0.1:{PORT}"

NAMES = '["AI_STREAMING_ENABLED", "AI_ALLOW_ANONYMOUS", "SIGN_UP"]'
RECORDER = f"""
import json, os
from django.conf import settings
from django.core.management.base import BaseCommand

NAMES = {NAMES}

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--host")
        parser.add_argument("--port")

    def handle(self, *, host, port, **options):
        switches = {{name: getattr(settings, name) for name in NAMES}}
        print("SERVER", json.dumps({{"host": host, "port": port, **switches}}))
"""
"""Replaces `manage.py serve`, and reports its arguments."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a recorder as its server."""
    project = copy_project(tmp_path_factory.mktemp("prepared"))
    (project / "streaming" / "management" / "commands" / "serve.py").write_text(RECORDER)
    return project


@pytest.fixture(scope="module")
def first(project: Path) -> subprocess.CompletedProcess[str]:
    """The first run, which finds nothing prepared."""
    return _prepare(project)


@pytest.fixture
def dotenv(project: Path) -> Iterator[Path]:
    file = project / ".env"
    yield file
    file.unlink()


def _prepare(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, project / "scripts" / "prepare.py", PORT], project, **environment)


def _server(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the server's start parameters: host, port, and the effective switches."""
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("SERVER"))
    return json.loads(line.removeprefix("SERVER"))


def _account(words: str) -> tuple[str, str]:
    """Return the name and password that a run printed."""
    found = re.search(r"name +(\S+)\n +password +(\S+)\n", words)
    assert found, words
    return found[1], found[2]


def test_the_demo_streams_to_anybody_and_serves_on_the_port_asked_for(first: Any):
    assert _server(first) == {
        "host": "127.0.0.1",
        "port": PORT,
        "AI_STREAMING_ENABLED": True,
        "AI_ALLOW_ANONYMOUS": True,
        "SIGN_UP": "open",
    }


def test_it_prints_what_to_open_and_the_line_to_try(first: Any):
    for address in [f"{SITE}/\n", f"{SITE}/admin/\n", f"{SITE}/api/docs\n"]:
        assert address in first.stdout
    question = f"{SITE}/api/stream/ai-block/ask-question?prompt=What+is+photosynthesis%3F"
    assert f"curl -N '{question}'" in first.stdout


def test_an_admin_is_made_once_with_a_password_that_works(project: Path, first: Any):
    name, password = _account(first.stdout)
    assert "password" not in _prepare(project).stdout
    database = sqlite3.connect(project / "var" / "db.sqlite3")
    ((stored, is_superuser),) = database.execute(
        "SELECT password, is_superuser FROM auth_user WHERE username = ?", [name]
    ).fetchall()
    database.close()
    assert is_superuser
    assert check_password(password, stored)


def test_passwords_differ_from_one_checkout_to_the_next(project: Path, first: Any, tmp_path: Path):
    other = _prepare(project, DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")
    assert _account(other.stdout)[1] != _account(first.stdout)[1]


def test_dotenv_holds_a_switch_off_and_it_says_so(project: Path, dotenv: Path):
    dotenv.write_text("AI_STREAMING_ENABLED=false\n")
    done = _prepare(project)
    assert ".env sets AI_STREAMING_ENABLED to 'false'" in done.stdout
    assert "AI_ALLOW_ANONYMOUS to" not in done.stdout
    server = _server(done)
    assert server["AI_STREAMING_ENABLED"] is False
    assert server["AI_ALLOW_ANONYMOUS"] is True


def test_the_environment_wins_over_dotenv_for_a_switch(project: Path, dotenv: Path):
    dotenv.write_text("AI_ALLOW_ANONYMOUS=true\n")
    done = _prepare(project, AI_ALLOW_ANONYMOUS="no")
    assert "the environment sets AI_ALLOW_ANONYMOUS to 'no'" in done.stdout
    assert _server(done)["AI_ALLOW_ANONYMOUS"] is False


def test_a_sign_up_that_is_set_stays_as_it_is(project: Path, dotenv: Path):
    dotenv.write_text("SIGN_UP=closed\n")
    assert _server(_prepare(project))["SIGN_UP"] == "closed"


def test_unreadable_settings_are_explained_without_a_traceback(project: Path):
    done = _prepare(project, AI_RETRIES="many")
    assert done.returncode == 1
    assert "The settings can't be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_database_is_explained_without_a_traceback(project: Path):
    done = _prepare(project, DATABASE_URL="sqlite:////no/such/folder/db.sqlite3")
    assert done.returncode == 1
    assert "The database can't be used" in done.stderr
    assert "Traceback" not in done.stderr
