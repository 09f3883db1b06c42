"""Why a process does not start: a text for a person, lines of the log for programs."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from liveai.command_errors import records_of
from tests.support.servers.harness import ROOT, clean_environment

CAUSES = {
    "a wrong setting": ("serve", {"STREAM_DRAIN_SECONDS": "abc"}, "STREAM_DRAIN_SECONDS is 'abc'"),
    "an empty database": ("serve", {}, "The database is not up to date."),
    "no database": (
        "serve",
        {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/db"},
        "The database can't be used: ",
    ),
    "no Redis": ("work", {"REDIS_URL": ""}, "Workers need Redis: set REDIS_URL."),
    "no worker needed": (
        "work",
        {"REDIS_URL": "redis://127.0.0.1:1/0", "AI_STREAMING_RUNNER": "inline"},
        "AI_STREAMING_RUNNER is inline",
    ),
    "a failed check": ("serve", {"STREAM_MAX_RUNNING": "0"}, "STREAM_MAX_RUNNING"),
}


def _environment(tmp_path: Path, cause: str, **more: str) -> dict[str, str]:
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    return {**clean_environment(), **database, **CAUSES[cause][1], **more}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_journal_and_a_collector_of_json_learn_why_a_process_does_not_start(
    tmp_path: Path, cause: str
) -> None:
    with (tmp_path / "stderr").open("w") as file:
        journal = os.fstat(file.fileno())
        done = subprocess.run(
            [sys.executable, "manage.py", CAUSES[cause][0]],
            cwd=ROOT,
            env=_environment(
                tmp_path,
                cause,
                JOURNAL_STREAM=f"{journal.st_dev}:{journal.st_ino}",
                LOG_FORMAT="JSON",
            ),
            stderr=file,
            timeout=150,
        )
    assert done.returncode == 1
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert all(re.match(r"<[234]>{", line) for line in lines), lines
    records = [(line[1], json.loads(line[3:])) for line in lines]
    (found,) = [each for each in records if CAUSES[cause][2] in each[1]["event"]]
    assert found[0] in "23" and found[1]["level"] in ("error", "critical")
    assert "exception" not in found[1]


def test_a_person_sees_the_text_alone_also_with_the_format_of_programs(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "manage.py", "work"],
            cwd=ROOT,
            env=_environment(tmp_path, "no Redis", LOG_FORMAT="json", NO_COLOR="1"),
            stderr=theirs,
            timeout=150,
        )
        shown = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "CommandError: Workers need Redis: set REDIS_URL." in shown
    assert "{" not in shown and "<2>" not in shown and "Traceback" not in shown


def test_each_issue_of_the_system_checks_is_a_record_of_its_level() -> None:
    warned = (
        "System check identified some issues:\n"
        "\nERRORS:\n?: (a.E001) This is wrong.\n\tHINT: Write 1.\n"
        "\nWARNINGS:\n?: (a.W001) This is odd.\n?: (a.W002) And this.\n"
    )
    found = [
        (logging.ERROR, "?: (a.E001) This is wrong. HINT: Write 1."),
        (logging.WARNING, "?: (a.W001) This is odd."),
        (logging.WARNING, "?: (a.W002) And this."),
    ]
    assert list(records_of(warned)) == found
    *issues, last = records_of("SystemCheckError: " + warned)
    assert issues == found and last[0] == logging.CRITICAL
