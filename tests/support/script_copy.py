"""A copy of the project for tests of the scripts, and stand-ins for real programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TOOLS = (
    "bash cat chmod cksum cp dirname env find grep head id ln mkdir mv rm sed sh sort tail touch"
    " uname wc"
).split()
"""The programs that every system has."""

WORKS = "#!/usr/bin/env bash\n"
FAILS = "#!/usr/bin/env bash\nexit 1\n"

FAKE_PYTHON = """#!/usr/bin/env bash
case "$*" in
*"-m pip install"*)
    echo "$*" >>"$(dirname "$0")/../../pip-calls"
    case "$*" in *"${FAILING:-nothing fails}"*) echo "ERROR: $SAYING"; exit 1 ;; esac ;;
*"-m pip"*) ;;
*) exec PYTHON "$@" ;;
esac
"""
"""A Python environment that records requested installations, and installs nothing."""

FAKE_NODE = """#!/usr/bin/env bash
echo "node $*" >>"$CALLS"
echo "${NODE_VERSION:-v24.1.0}"
"""

FAKE_NPM = """#!/usr/bin/env bash
echo "npm $*" >>"$CALLS"
case "$*" in *"${NPM_FAILING:-nothing fails}"*) echo "npm error $NPM_SAYING"; exit 1 ;; esac
case $1 in
ci) mkdir -p node_modules && echo "{}" >node_modules/.package-lock.json ;;
run) mkdir -p dist/assets && cp "$MANIFEST" dist/manifest.json && echo 1 >dist/assets/main.js ;;
esac
"""
"""An npm that records its calls, and builds an empty program."""

MANIFEST = '{"src/pages/main.tsx": {"file": "assets/main.js", "isEntry": true}}'


def copy_project(tmp_path: Path) -> Path:
    """Copy the files that the scripts need to a folder whose name has spaces."""
    project = tmp_path / "a folder with spaces"
    project.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
    for name in ["scripts", "liveai", "blocks", "streaming", "operating", "frontend", "specs"]:
        shutil.copytree(ROOT / name, project / name, ignore=skip)
    shutil.copytree(ROOT / "locks", project / "locks")
    return project


def run(
    command: Sequence[str | Path], project: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command from another folder, with an empty home and without the caller's settings."""
    home = project / "empty-home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        command,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def bare_path(folder: Path, tools: Sequence[str] = TOOLS) -> Path:
    """Create a folder for the PATH that contains only the programs that every system has."""
    folder.mkdir()
    for tool in tools:
        found = shutil.which(tool)
        assert found, f"this system has no {tool}"
        (folder / tool).symlink_to(found)
    return folder


def put_program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link would be followed to the system's own program
    path.write_text(body)
    path.chmod(0o755)


@dataclass(frozen=True)
class Machine:
    """A copy of the project on a bare machine, for a user who is not root."""

    project: Path

    @classmethod
    def create(cls, tmp_path: Path) -> Machine:
        machine = cls(copy_project(tmp_path))
        bare_path(machine.bin)
        machine.put("id", f"{WORKS}echo 1000\n")
        return machine

    @property
    def bin(self) -> Path:
        """The only folder on the PATH."""
        return self.project.parent / "bin"

    def put(self, name: str, body: str = WORKS) -> Path:
        """Put a program on the PATH."""
        put_program(self.bin / name, body)
        return self.bin / name

    def become_root(self) -> None:
        self.put("id", f"{WORKS}echo 0\n")

    def call(
        self, function: str, *, source: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell function after sourcing _setup and these scripts.

        Programs get the file for `calls` as $CALLS.
        """
        sourced = [f'. "{self.project}/scripts/_setup"', *map(". scripts/{}".format, source)]
        settings = {"PATH": str(self.bin), "CALLS": str(self.project / "calls"), **environment}
        return run(["bash", "-c", "; ".join([*sourced, function])], self.project, **settings)

    def calls(self) -> list[str]:
        """Return the recorded calls since the last look."""
        file = self.project / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


def fake_environment(project: Path) -> None:
    """Create a usable environment in .venv that never installs anything."""
    put_program(
        project / ".venv" / "bin" / "python", FAKE_PYTHON.replace("PYTHON", f'"{sys.executable}"')
    )


def fake_node(folder: Path) -> None:
    """Create a Node and its npm, in a folder for the PATH."""
    put_program(folder / "node", FAKE_NODE)
    put_program(folder / "npm", FAKE_NPM)


def node_settings(project: Path) -> dict[str, str]:
    """Return the environment of the fake Node and npm; they record their calls in `calls`."""
    manifest = project / "manifest-to-be.json"
    manifest.write_text(MANIFEST)
    return {"CALLS": str(project / "calls"), "MANIFEST": str(manifest)}
