"""`deploy/back-up` replaces no dump, gives a name to whole ones alone, and deletes by its rule.

The programs of PostgreSQL are stand-ins; tests/faults/test_deploy_commands.py runs the real ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.deploy import DEPLOY, unit_at
from tests.support.script_copy import put_program

PG_DUMP = """#!/usr/bin/env bash
[ "$1" = --format=custom ] && printf '%s' "${SAYS:-whole}" >"${2#--file=}"
printf '%s' "$PGDATABASE" >"$CALLS"
exit "${DUMP_STATE:-0}"
"""
PG_RESTORE = """#!/usr/bin/env bash
[ "$(cat "${@: -1}")" = whole ] || { echo "pg_restore: error: unexpected end of file" >&2; exit 1; }
"""
DATE = """#!/usr/bin/env bash
exec /usr/bin/date -d @1800000000 "$@"
"""
"""A clock that stands still."""

NOW = "2027-01-15-080000.dump"  # @1800000000
DAY = 24 * 60 * 60.0


def _back_up(folder: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it with these words, or with the folder alone."""
    programs = folder.parent / "bin"
    put_program(programs / "pg_dump", PG_DUMP)
    put_program(programs / "pg_restore", PG_RESTORE)
    put_program(programs / "date", DATE)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "CALLS": str(programs / "calls"), **more}
    return subprocess.run(
        [DEPLOY / "back-up", *(words or (folder,))],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, *, days_old: float = 0.0) -> None:
    (folder / name).write_text("old")
    at = time.time() - days_old * DAY
    os.utime(folder / name, (at, at))


def test_a_dump_is_named_after_its_time_and_only_its_owner_reads_it(folder: Path) -> None:
    done = _back_up(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Wrote {folder}/{NOW}.\n"
    assert _names(folder) == [NOW]
    assert (folder / NOW).read_text() == "whole"
    assert (folder / NOW).stat().st_mode & 0o777 == 0o600
    assert (folder.parent / "bin" / "calls").read_text() == "liveai"
    _back_up(folder, PGDATABASE="another")
    assert (folder.parent / "bin" / "calls").read_text() == "another"


def test_a_dump_that_exists_is_not_replaced(folder: Path) -> None:
    put(folder, NOW)
    done = _back_up(folder)
    assert done.returncode == 1 and "exists already" in done.stderr
    assert _names(folder) == [NOW]
    assert (folder / NOW).read_text() == "old"


@pytest.mark.parametrize("broken", [{"DUMP_STATE": "1"}, {"SAYS": "half"}], ids=["dump", "read"])
def test_a_dump_that_fails_gets_no_name_and_deletes_none(
    folder: Path, broken: dict[str, str]
) -> None:
    put(folder, "2026-11-30-031502.dump", days_old=40)
    done = _back_up(folder, **broken)
    assert done.returncode != 0 and done.stdout == ""
    assert _names(folder) == ["2026-11-30-031502.dump"]


def test_what_is_older_than_the_days_is_deleted_after_a_new_dump_and_nothing_else(
    folder: Path,
) -> None:
    put(folder, "2026-11-30-031502.dump", days_old=14.1)
    put(folder, "2026-11-30-031501.dump.77.part", days_old=14.1)  # of one that was killed
    kept = {
        "2026-12-01-031502.dump": 13.9,
        "2026-12-01-031502.dump.78.part": 0,  # one that runs
        "before-restore-2026-11-30-031502.dump": 100,
        "2026-11-30.dump": 100,
        "notes.txt": 100,
    }
    for name, days in kept.items():
        put(folder, name, days_old=days)
    done = _back_up(folder)
    assert _names(folder) == sorted([*kept, NOW])
    assert set(re.findall(r"^Deleted .+/(.+)$", done.stdout, re.MULTILINE)) == {
        "2026-11-30-031502.dump",
        "2026-11-30-031501.dump.77.part",
    }
    put(folder, NOW, days_old=2)
    (folder / NOW).rename(folder / "2027-01-13-080000.dump")
    _back_up(folder, KEEP_DAYS="1")
    assert "2027-01-13-080000.dump" not in _names(folder)


def test_the_dump_before_a_restore_deletes_none(folder: Path) -> None:
    put(folder, "2026-11-30-031502.dump", days_old=40)
    assert _back_up(folder, folder, "before-restore").returncode == 0
    assert _names(folder) == ["2026-11-30-031502.dump", f"before-restore-{NOW}"]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        (["/f", "nightly"], "14"),
        (["/f", "before-restore", "x"], "14"),
        (["/f"], "0"),
        (["/f"], "x"),
    ],
)
def test_wrong_words_are_refused(folder: Path, words: list[str], days: str) -> None:
    done = _back_up(folder, *words, KEEP_DAYS=days)
    assert done.returncode == 2 and done.stdout == ""
    assert "KEEP_DAYS" in done.stderr and _names(folder) == []


def test_the_timer_starts_the_units_service_every_night_with_the_pages_days() -> None:
    timer, service = (
        unit_at(DEPLOY / "systemd" / f"liveai-back-up.{kind}") for kind in ("timer", "service")
    )
    assert timer["Timer"]["OnCalendar"] == "*-*-* 03:15"
    assert timer["Install"]["WantedBy"] == "timers.target"
    unit = service["Service"]
    assert unit["ExecStart"] == "/opt/liveai/deploy/back-up /var/backups/liveai"
    assert unit["ReadWritePaths"] == "/var/backups/liveai"
    assert unit["Environment"] == "KEEP_DAYS=14"
    page = (DEPLOY.parent / "docs" / "operate" / "back-up.md").read_text("utf-8")
    assert "at 03:15" in page and "older than 14 days" in page
    assert "${KEEP_DAYS:-14}" in (DEPLOY / "back-up").read_text("utf-8")
