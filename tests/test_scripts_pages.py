"""`scripts/_pages`: the Node that builds the pages, the time of a build, and its error messages."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import Machine, fake_environment, fake_node, node_settings


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without a Node, with an environment in .venv."""
    machine = Machine.create(tmp_path)
    fake_environment(machine.project)
    return machine


def _pages(machine: Machine, function: str = "build_pages", **environment: str):
    """Run a function of _pages; an npm call that contains NPM_FAILING fails with NPM_SAYING."""
    settings = {**node_settings(machine.project), **environment}
    return machine.call(function, source=["_pages"], **settings)


def _npm_calls(machine: Machine) -> list[str]:
    return [call for call in machine.calls() if call.startswith("npm")]


def _reason(machine: Machine) -> str:
    """Return the reason that the site shows instead of the pages."""
    return (machine.project / "var" / "frontend-failure").read_text()


CI, BUILD = "npm ci --include=dev", "npm run build"


# --- the time of a build --------------------------------------------------------------------


def test_pages_are_built_once_and_no_node_is_started_for_a_second_look(machine: Machine):
    fake_node(machine.bin)
    first = _pages(machine)
    assert first.returncode == 0, first.stderr
    assert "Installing the pages' build tools" in first.stdout
    assert "Building the pages ..." in first.stdout
    assert _npm_calls(machine) == [CI, BUILD]
    assert (machine.project / "frontend" / "dist" / "manifest.json").exists()
    again = _pages(machine)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("src/pages/main.tsx", [BUILD]),
        ("src/look/new-file.css", [BUILD]),
        ("vite.config.ts", [BUILD]),
        ("tsconfig.json", [BUILD]),
        ("bundle/notices.ts", [BUILD]),
        ("bundle/texts/wouter.txt", [BUILD]),
        ("package-lock.json", [CI, BUILD]),
        ("package.json", [CI, BUILD]),
        ("src/pages/main.test.tsx", []),
        ("vitest.config.ts", []),
        ("views.py", []),
    ],
)
def test_what_changed_says_what_is_done_again(machine: Machine, changed: str, expected: list[str]):
    fake_node(machine.bin)
    _pages(machine)
    machine.calls()
    path = machine.project / "frontend" / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    assert _pages(machine).returncode == 0
    assert _npm_calls(machine) == expected


def test_a_source_that_was_renamed_is_a_change(machine: Machine):
    fake_node(machine.bin)
    source = machine.project / "frontend" / "src" / "one.ts"
    source.write_text("export {};\n")
    _pages(machine)
    machine.calls()
    source.rename(source.with_name("two.ts"))
    _pages(machine)
    assert _npm_calls(machine) == [BUILD]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [("dist/manifest.json", [BUILD]), ("node_modules/.package-lock.json", [])],
)
def test_what_is_lost_is_made_again_when_it_is_needed(
    machine: Machine, lost: str, expected: list[str]
):
    fake_node(machine.bin)
    _pages(machine)
    machine.calls()
    (machine.project / "frontend" / lost).unlink()
    _pages(machine)
    assert _npm_calls(machine) == expected


def test_another_node_is_a_change(machine: Machine):
    fake_node(machine.bin)
    _pages(machine)
    machine.calls()
    with (machine.bin / "node").open("a") as node:
        node.write("# a new version\n")
    _pages(machine)
    assert _npm_calls(machine) == [CI, BUILD]


def test_scripts_are_packed_for_who_can_read_them_packed(machine: Machine):
    fake_node(machine.bin)
    npm = machine.bin / "npm"
    npm.write_text(npm.read_text().replace("echo 1 >", "echo {1..9999} >"))
    _pages(machine)
    assert (machine.project / "frontend" / "dist" / "assets" / "main.js.gz").exists()


# --- the choice of Node ---------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v22.12.0", "v22.20.1", "v23.0.0", "v24.19.0", "v100.1.2"])
def test_the_machines_node_is_taken_if_it_is_new_enough(machine: Machine, version: str):
    fake_node(machine.bin)
    done = _pages(machine, NODE_VERSION=version)
    assert done.returncode == 0, done.stderr
    assert not (machine.project / "pip-calls").exists()


@pytest.mark.parametrize("version", ["v20.20.2", "v22.11.0", "v9.99.0", "", "v", "none of these"])
def test_a_node_that_is_too_old_is_passed_over_for_one_from_pypi(machine: Machine, version: str):
    fake_node(machine.bin)
    old = machine.bin / "node"
    old.write_text(f"#!/usr/bin/env bash\necho '{version}'\n")
    fake_node(machine.project / ".venv" / "bin")  # as the installation does
    done = _pages(machine)
    assert done.returncode == 0, done.stderr
    assert "Installing Node (60 MB) to build the pages" in done.stdout
    assert (machine.project / "pip-calls").read_text().endswith("-r locks/requirements-node.txt\n")
    assert _npm_calls(machine) == [CI, BUILD]


def test_a_node_without_npm_is_passed_over(machine: Machine):
    fake_node(machine.bin)
    (machine.bin / "npm").unlink()
    fake_node(machine.project / ".venv" / "bin")
    assert _pages(machine).returncode == 0
    assert (machine.project / "pip-calls").exists()


def test_the_node_from_pypi_is_installed_once(machine: Machine):
    fake_node(machine.project / ".venv" / "bin")
    for _ in range(2):
        assert _pages(machine, "use_node; command -v node").returncode == 0
    assert len((machine.project / "pip-calls").read_text().splitlines()) == 1


def test_packages_behind_a_link_are_left_to_their_owner(machine: Machine, tmp_path: Path):
    fake_node(machine.bin)
    shared = tmp_path / "shared"
    shared.mkdir()
    (machine.project / "frontend" / "node_modules").symlink_to(shared)
    assert _pages(machine).returncode == 0
    assert list(shared.iterdir()) == []
    assert (machine.project / "frontend" / "node_modules" / ".package-lock.json").exists()


# --- error messages ---------------------------------------------------------------------------


def _failed(done: CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "The pages could not be built." in done.stderr
    return done.stderr


def test_without_a_network_it_says_so_and_leaves_the_reason_for_the_site(machine: Machine):
    fake_node(machine.bin)
    words = _failed(_pages(machine, NPM_FAILING="ci", NPM_SAYING="code EAI_AGAIN"))
    assert "npm error code EAI_AGAIN" in words
    assert "The network seems to be unreachable." in words
    assert _reason(machine).endswith("Check the connection and run this again.\n")
    assert (machine.project / "var").stat().st_mode & 0o077 == 0
    assert _pages(machine).returncode == 0  # the next start retries
    assert not (machine.project / "var" / "frontend-failure").exists()


def test_without_a_network_for_pip_it_says_so(machine: Machine):
    offline = {"FAILING": "requirements-node.txt", "SAYING": "Temporary failure in name resolution"}
    words = _failed(_pages(machine, **offline))
    assert "Node could not be installed. The network seems to be unreachable." in _reason(machine)
    assert "name resolution" in words


def test_a_certificate_that_is_not_trusted_is_no_lost_network(machine: Machine):
    failing = {"FAILING": "requirements-node.txt", "SAYING": "SSLError CERTIFICATE_VERIFY_FAILED"}
    _failed(_pages(machine, **failing))
    assert "export PIP_CERT=/path/to/certificate.pem" in _reason(machine)
    fake_node(machine.bin)
    _failed(_pages(machine, NPM_FAILING="ci", NPM_SAYING="code SELF_SIGNED_CERT_IN_CHAIN"))
    assert "certificate is not trusted" in _reason(machine)
    assert "export NODE_EXTRA_CA_CERTS=/path/to/certificate.pem" in _reason(machine)


def test_a_node_from_pypi_that_does_not_run_is_said(machine: Machine):
    words = _failed(_pages(machine))
    assert "The Node from PyPI does not run here." in words
    assert "https://nodejs.org" in words


def test_sources_that_cannot_be_built_are_shown_with_what_vite_said(machine: Machine):
    fake_node(machine.bin)
    broken = {"NPM_FAILING": "build", "NPM_SAYING": "main.tsx:3:1 unexpected token"}
    words = _failed(_pages(machine, **broken))
    assert "main.tsx:3:1 unexpected token" in words
    assert "main.tsx" not in _reason(machine)  # visitors need no paths
    assert "Their sources could not be built." in _reason(machine)
    assert _npm_calls(machine) == [CI, BUILD]
    assert _pages(machine).returncode == 0
    assert _npm_calls(machine) == [BUILD]


def test_a_full_disk_is_said(machine: Machine):
    fake_node(machine.bin)
    words = _failed(_pages(machine, NPM_FAILING="ci", NPM_SAYING="ENOSPC: write"))
    assert "The disk is full" in words


def test_an_earlier_build_stays_and_it_says_so(machine: Machine):
    fake_node(machine.bin)
    _pages(machine)
    (machine.project / "frontend" / "src" / "new.ts").write_text("broken")
    words = _failed(_pages(machine, NPM_FAILING="build", NPM_SAYING="broken"))
    assert "The site shows the pages of an earlier build." in words
    assert (machine.project / "frontend" / "dist" / "manifest.json").exists()


def test_a_home_that_cannot_be_written_to_is_no_hindrance(machine: Machine):
    fake_node(machine.bin)
    show = 'echo "cache=${npm_config_cache:-at home}"'
    assert _pages(machine, show).stdout == "cache=at home\n"
    nowhere = _pages(machine, show, HOME="/proc/nobodys-home").stdout
    assert nowhere == f"cache={os.path.realpath(machine.project)}/.venv/npm-cache\n"
