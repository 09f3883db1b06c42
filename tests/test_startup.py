"""A wrong value prints one line on stderr, whichever program reads the settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PROGRAMS = {
    "check": ["manage.py", "check"],
    "migrate": ["manage.py", "migrate"],
    "serve": ["manage.py", "serve", "--port", "0"],
    "work": ["manage.py", "work"],
    "no such command": ["manage.py", "nothing"],
    "uvicorn": ["-m", "uvicorn", "liveai.asgi:application", "--port", "0"],
    "daphne": ["-m", "daphne", "-p", "0", "liveai.asgi:application"],
}


def start(program: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *PROGRAMS[program]],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_says_in_one_line_which_value_is_wrong(program: str) -> None:
    done = start(program, STREAM_DEADLINE_SECONDS="10m")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "STREAM_DEADLINE_SECONDS is '10m'" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STREAM_MAX_RUNNING", "1e3"),
        ("AI_RETRIES", "-1"),
        ("AI_STREAMING_ENABLED", "yes please"),
        ("DJANGO_DEBUG", "ture"),
        ("DJANGO_LOG_LEVEL", "LOUD"),
        ("STREAMING_BACKEND", "polling"),
        ("AI_STREAMING_RUNNER", "workers"),
        ("DATABASE_URL", "postgres://u:12#canary@127.0.0.1:5432/db"),
        ("REDIS_URL", "redis://:12/canary@127.0.0.1:6379/0"),
        ("AI_API_KEY", "sk canary"),
        ("DJANGO_SECRET_KEY", "CHANGE-ME"),
    ],
)
def test_a_wrong_value_of_any_kind_is_named_and_a_secret_is_not_shown(
    name: str, value: str
) -> None:
    done = start("check", **{name: value})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"The settings can't be read: {name} ")
    assert "canary" not in line


def test_a_line_of_dotenv_that_can_not_be_read_is_told_by_its_number(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path)
    shutil.copytree(ROOT / "liveai", tmp_path / "liveai")
    (tmp_path / ".env").write_text("# mine\nAI_API_KEY: sk-canary\n")
    done = start("check", tmp_path)
    assert done.stderr == (
        "The settings can't be read: Line 2 of .env is not NAME=value. (See .env.example.)\n"
    )


CANARY = "canary7d41"


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("DATABASE_URL", f"postgres://u:12/{CANARY}@127.0.0.1:1/db", "migrate"),
        ("DATABASE_URL", f"postgres://u:%2F{CANARY}@127.0.0.1:1/db", "migrate"),
        ("DATABASE_URL", f"postgres://u:{CANARY}@127.0.0.1:1/db?no_such_option=1", "serve"),
        ("REDIS_URL", f"redis://:12#{CANARY}@127.0.0.1:1/0", "serve"),
        ("REDIS_URL", f"redis://:{CANARY}@127.0.0.1:1/first", "serve"),
        ("REDIS_URL", f"redis://:p@127.0.0.1:1/0?password={CANARY}&no_such_option=1", "serve"),
        ("AI_BASE_URL", f"http://u:x?{CANARY}@127.0.0.1:1/v1", "serve"),
        ("AI_BASE_URL", f"ftp://u:{CANARY}@127.0.0.1:1/v1", "serve"),
        ("AI_API_KEY", f"sk-{CANARY} two", "serve"),
        ("DJANGO_SECRET_KEY", f"'{CANARY}'", "serve"),
        ("DJANGO_ALLOWED_HOSTS", f"https://u:{CANARY}@a.test", "serve"),
        ("SITE_PATH", f"/ai?{CANARY}", "serve"),
    ],
)
def test_what_can_not_be_used_is_named_without_a_secret(
    tmp_path: Path, name: str, value: str, command: str
) -> None:
    environment = {
        "DJANGO_SECRET_KEY": "k" * 50,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_LOG_LEVEL": "DEBUG",
        name: value,
    }
    done = start(command, **environment)
    assert done.returncode == 1
    assert name in done.stderr and "Traceback" not in done.stderr
    assert CANARY not in done.stdout + done.stderr
