"""`deploy/rolling-restart` restarts one process at a time, and stops at the first that fails."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deploy import DEPLOY, unit_at
from tests.support.faults.redis_server import free_port
from tests.support.script_copy import put_program

SYSTEMCTL = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case $1 in
restart) case $2 in liveai-worker@*) exit "${WORKER_STATE:-0}" ;; esac ;;
show) case $2 in
    --property=Type) echo "${WORKER_TYPE:-notify}" ;;
    *) echo "{ path=${EXEC%% *} ; argv[]=$EXEC ; ignore_errors=no ; start_time=[n/a] ; pid=0 }" ;;
    esac ;;
esac
"""
EXEC = unit_at(DEPLOY / "systemd" / "liveai-web@.service")["Service"]["ExecStart"]


def _roll(tmp_path: Path, *units: str, **more: str) -> tuple[subprocess.CompletedProcess[str], str]:
    put_program(tmp_path / "bin" / "systemctl", SYSTEMCTL)
    calls = tmp_path / "calls"
    calls.touch()
    done = subprocess.run(
        [DEPLOY / "rolling-restart", *units],
        env={
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "CALLS": str(calls),
            "EXEC": EXEC,
            "LIVEAI_START_SECONDS": "1",
            **more,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done, calls.read_text()


def test_a_rolling_restart_goes_one_by_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as up:
        web = f"web@{up.getsockname()[1]}"
        done, calls = _roll(tmp_path, web, "worker@1")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls.splitlines() == [
        f"restart liveai-{web}",
        f"show --property=ExecStart --value liveai-{web}",
        "restart liveai-worker@1",
        "show --property=Type --value liveai-worker@1",
    ]
    assert done.stdout.endswith("All are up.\n")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("--host 127.0.0.2", "127.0.0.2"),
        ("--host=127.0.0.2", "127.0.0.2"),
        ("--host 0.0.0.0", "0.0.0.0"),
        ("", "127.0.0.1"),
    ],
)
def test_it_waits_for_the_address_that_the_unit_names(
    tmp_path: Path, written: str, host: str
) -> None:
    assert EXEC.count("--host 127.0.0.1") == 1
    if host == "127.0.0.2" and sys.platform != "linux":
        pytest.skip("this machine has one loopback address alone")
    exec_start = EXEC.replace("--host 127.0.0.1", written)
    with socket.create_server((host, 0)) as up:
        done, _ = _roll(tmp_path, f"web@{up.getsockname()[1]}", EXEC=exec_start)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_stops_at_the_first_that_does_not_come_back(tmp_path: Path) -> None:
    down = f"web@{free_port()}"
    done, calls = _roll(tmp_path, down, "web@1")
    assert done.returncode == 1 and "The others were left as they are." in done.stderr
    assert [line for line in calls.splitlines() if line.startswith("restart")] == [
        f"restart liveai-{down}"
    ]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"WORKER_STATE": "1"}, "journalctl -u liveai-worker@1"),
        ({"WORKER_TYPE": "exec"}, "The unit of liveai-worker@1 is an old one."),
    ],
)
def test_a_worker_that_is_not_known_to_be_ready_ends_it(
    tmp_path: Path, state: dict[str, str], said: str
) -> None:
    done, calls = _roll(tmp_path, "worker@1", "worker@2", **state)
    assert done.returncode == 1 and said in done.stderr and "All are up" not in done.stdout
    assert "worker@2" not in calls


def test_systemd_waits_for_a_worker_until_it_says_that_it_is_ready() -> None:
    service = unit_at(DEPLOY / "systemd" / "liveai-worker@.service")["Service"]
    assert service["Type"] == "notify"


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    for words in ((), ("8001",)):
        done, _ = _roll(tmp_path, *words)
        assert done.returncode == 2
        assert "web@8001" in done.stderr or "web@PORT" in done.stderr
