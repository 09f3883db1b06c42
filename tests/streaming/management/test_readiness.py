"""A worker tells systemd that it is ready."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from streaming.management.readiness import tell_ready


@pytest.mark.parametrize("is_abstract", [False, True])
def test_systemd_is_told_at_a_path_and_at_an_abstract_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_abstract: bool
) -> None:
    if is_abstract and sys.platform != "linux":
        pytest.skip("this system has no abstract names")
    monkeypatch.chdir(tmp_path)  # a path of a socket is short
    name = f"@{tmp_path.name}" if is_abstract else "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(name.replace("@", "\0"))
        told.settimeout(5)
        tell_ready(name)
        assert told.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens_and_a_lost_socket_is_a_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell_ready("")
    assert caplog.text == ""
    tell_ready(f"{tmp_path}/nobody")
    assert "systemd can't be told that the process is ready" in caplog.text
