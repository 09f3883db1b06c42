"""Finding a Prometheus for the tests, or unpacking Debian's without installing it."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import FAILS, ROOT, Machine

APT = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
[ "$1" != download ] || echo package >"${2}_1.deb"
"""
DPKG = """#!/usr/bin/env bash
mkdir -p "$3/usr/bin"
printf '#!/usr/bin/env bash\\n' >"$3/usr/bin/promtool"
chmod +x "$3/usr/bin/promtool"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without a Prometheus."""
    return Machine.create(tmp_path)


def _use(machine: Machine) -> CompletedProcess[str]:
    return machine.call("use_prometheus; echo used", source=("_prometheus",))


def test_an_installed_one_is_enough(machine: Machine) -> None:
    machine.put("apt-get", APT)
    machine.put("prometheus")
    machine.put("promtool")
    done = _use(machine)
    assert (done.stdout, done.stderr) == ("used\n", "")
    assert machine.calls() == []


@pytest.mark.parametrize("is_root", [False, True])
def test_debians_is_unpacked_once_and_not_installed(machine: Machine, is_root: bool) -> None:
    machine.put("apt-get", APT)
    machine.put("dpkg-deb", DPKG)
    if is_root:
        machine.become_root()
    done = _use(machine)
    assert done.stdout == "used\n", done.stderr
    assert machine.calls() == ["update"] * is_root + ["download prometheus"]
    folder = machine.project / "var" / "prometheus"
    assert (folder / "usr" / "bin" / "promtool").exists()
    assert not list(folder.glob("*.deb"))
    assert (machine.project / "var").stat().st_mode & 0o077 == 0
    assert _use(machine).stdout == "used\n"
    assert machine.calls() == []


@pytest.mark.parametrize("apt", [None, FAILS])
def test_without_it_its_tests_are_skipped_and_it_says_so(machine: Machine, apt: str | None) -> None:
    if apt is not None:
        machine.put("apt-get", apt)
        machine.put("dpkg-deb", DPKG)
    done = _use(machine)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "its tests will be skipped" in done.stderr
    assert "sudo apt install prometheus" in done.stderr


def test_the_whole_suite_asks_for_it() -> None:
    assert "use_prometheus" in (ROOT / "scripts" / "test").read_text()
