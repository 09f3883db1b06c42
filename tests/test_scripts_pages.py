"""`scripts/_pages`: the Node that builds the pages, the time of a build, and its error messages."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import (
    bare_path,
    copy_project,
    fake_environment,
    fake_node,
    node_settings,
    run,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with an environment, on a machine without a Node."""
    project = copy_project(tmp_path)
    fake_environment(project)
    bare_path(tmp_path / "bin")
    return project


def _machines_node(project: Path) -> None:
    fake_node(project.parent / "bin")


def _pages(project: Path, function: str = "build_pages", **environment: str):
    """Run a function of _pages; an npm call that contains NPM_FAILING fails with NPM_SAYING."""
    script = f'. "{project}/scripts/_setup"; . scripts/_pages; {function}'
    settings = {"PATH": str(project.parent / "bin"), **node_settings(project)}
    return run(["bash", "-c", script], project, **{**settings, **environment})


def _calls(project: Path) -> list[str]:
    """Return the calls of Node and npm since the last look."""
    calls = project / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return lines


def _npm_calls(project: Path) -> list[str]:
    return [call for call in _calls(project) if call.startswith("npm")]


def _reason(project: Path) -> str:
    """Return the reason that the site shows instead of the pages."""
    return (project / "var" / "frontend-failure").read_text()


CI, BUILD = "npm ci --include=dev", "npm run build"


# --- the time of a build --------------------------------------------------------------------


def test_pages_are_built_once_and_no_node_is_started_for_a_second_look(project: Path):
    _machines_node(project)
    first = _pages(project)
    assert first.returncode == 0, first.stderr
    assert "Installing what the pages are built with" in first.stdout
    assert "Building the pages ..." in first.stdout
    assert _npm_calls(project) == [CI, BUILD]
    assert (project / "frontend" / "dist" / "manifest.json").exists()
    again = _pages(project)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert _calls(project) == []


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
def test_what_changed_says_what_is_done_again(project: Path, changed: str, expected: list[str]):
    _machines_node(project)
    _pages(project)
    _calls(project)
    path = project / "frontend" / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    assert _pages(project).returncode == 0
    assert _npm_calls(project) == expected


def test_a_source_that_was_renamed_is_a_change(project: Path):
    _machines_node(project)
    source = project / "frontend" / "src" / "one.ts"
    source.write_text("export {};\n")
    _pages(project)
    _calls(project)
    source.rename(source.with_name("two.ts"))
    _pages(project)
    assert _npm_calls(project) == [BUILD]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [("dist/manifest.json", [BUILD]), ("node_modules/.package-lock.json", [])],
)
def test_what_is_lost_is_made_again_when_it_is_needed(
    project: Path, lost: str, expected: list[str]
):
    _machines_node(project)
    _pages(project)
    _calls(project)
    (project / "frontend" / lost).unlink()
    _pages(project)
    assert _npm_calls(project) == expected


def test_another_node_is_a_change(project: Path):
    _machines_node(project)
    _pages(project)
    _calls(project)
    with (project.parent / "bin" / "node").open("a") as node:
        node.write("# a new version\n")
    _pages(project)
    assert _npm_calls(project) == [CI, BUILD]


def test_scripts_are_packed_for_who_can_read_them_packed(project: Path):
    _machines_node(project)
    npm = project.parent / "bin" / "npm"
    npm.write_text(npm.read_text().replace("echo 1 >", "echo {1..9999} >"))
    _pages(project)
    assert (project / "frontend" / "dist" / "assets" / "main.js.gz").exists()


# --- the choice of Node ---------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v22.12.0", "v22.20.1", "v23.0.0", "v24.19.0", "v100.1.2"])
def test_the_machines_node_is_taken_if_it_is_new_enough(project: Path, version: str):
    _machines_node(project)
    done = _pages(project, NODE_VERSION=version)
    assert done.returncode == 0, done.stderr
    assert not (project / "pip-calls").exists()


@pytest.mark.parametrize("version", ["v20.20.2", "v22.11.0", "v9.99.0", "", "v", "none of these"])
def test_a_node_that_is_too_old_is_passed_over_for_one_from_pypi(project: Path, version: str):
    _machines_node(project)
    old = project.parent / "bin" / "node"
    old.write_text(f"#!/usr/bin/env bash\necho '{version}'\n")
    fake_node(project / ".venv" / "bin")  # as the installation does
    done = _pages(project)
    assert done.returncode == 0, done.stderr
    assert "Installing Node, which builds the pages" in done.stdout
    assert (project / "pip-calls").read_text().endswith("-r requirements-node.txt\n")
    assert _npm_calls(project) == [CI, BUILD]


def test_a_node_without_npm_is_passed_over(project: Path):
    _machines_node(project)
    (project.parent / "bin" / "npm").unlink()
    fake_node(project / ".venv" / "bin")
    assert _pages(project).returncode == 0
    assert (project / "pip-calls").exists()


def test_the_node_from_pypi_is_installed_once(project: Path):
    fake_node(project / ".venv" / "bin")
    for _ in range(2):
        assert _pages(project, "use_node; command -v node").returncode == 0
    assert len((project / "pip-calls").read_text().splitlines()) == 1


# --- error messages ---------------------------------------------------------------------------


def _failed(done: CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "The pages could not be built." in done.stderr
    return done.stderr


def test_without_a_network_it_says_so_and_leaves_the_reason_for_the_site(project: Path):
    _machines_node(project)
    words = _failed(_pages(project, NPM_FAILING="ci", NPM_SAYING="code EAI_AGAIN"))
    assert "npm error code EAI_AGAIN" in words
    assert "The network seems to be away." in words
    assert _reason(project).endswith("Check the connection and start this again.\n")
    assert (project / "var").stat().st_mode & 0o077 == 0
    assert _pages(project).returncode == 0  # the next start retries
    assert not (project / "var" / "frontend-failure").exists()


def test_without_a_network_for_pip_it_says_so(project: Path):
    offline = {"FAILING": "requirements-node.txt", "SAYING": "Temporary failure in name resolution"}
    words = _failed(_pages(project, **offline))
    assert "Node could not be installed. The network seems to be away." in _reason(project)
    assert "name resolution" in words


def test_a_node_from_pypi_that_does_not_run_is_said(project: Path):
    words = _failed(_pages(project))
    assert "The Node from PyPI does not run here." in words
    assert "https://nodejs.org" in words


def test_sources_that_cannot_be_built_are_shown_with_what_vite_said(project: Path):
    _machines_node(project)
    broken = {"NPM_FAILING": "build", "NPM_SAYING": "main.tsx:3:1 unexpected token"}
    words = _failed(_pages(project, **broken))
    assert "main.tsx:3:1 unexpected token" in words
    assert "main.tsx" not in _reason(project)  # visitors need no paths
    assert "Their sources could not be built." in _reason(project)
    assert _npm_calls(project) == [CI, BUILD]
    assert _pages(project).returncode == 0
    assert _npm_calls(project) == [BUILD]


def test_a_full_disk_is_said(project: Path):
    _machines_node(project)
    words = _failed(_pages(project, NPM_FAILING="ci", NPM_SAYING="ENOSPC: write"))
    assert "The disk is full" in words


def test_an_earlier_build_stays_and_it_says_so(project: Path):
    _machines_node(project)
    _pages(project)
    (project / "frontend" / "src" / "new.ts").write_text("broken")
    words = _failed(_pages(project, NPM_FAILING="build", NPM_SAYING="broken"))
    assert "The site shows those of an earlier build." in words
    assert (project / "frontend" / "dist" / "manifest.json").exists()


def test_a_home_that_cannot_be_written_to_is_no_hindrance(project: Path):
    _machines_node(project)
    show = 'echo "cache=${npm_config_cache:-at home}"'
    assert _pages(project, show).stdout == "cache=at home\n"
    nowhere = _pages(project, show, HOME="/proc/nobodys-home").stdout
    assert nowhere == f"cache={os.path.realpath(project)}/.venv/npm-cache\n"
