"""The peers' own packages: a virtual environment and a `node_modules`, made if missing."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from ..load.servers import ROOT

PEERS = ROOT / "benchmarks" / "peers"
FOLDER = ROOT / "var" / "peers"


@functools.cache
def peers_python() -> str:
    """Return the Python that has the peers' packages; install them if they changed.

    Raises:
        SystemExit: pip failed; with its reason.
    """
    python = FOLDER / "python" / "bin" / "python"
    wanted = PEERS / "requirements.txt"
    mark = FOLDER / "python" / "installed.txt"
    content = f"{sys.version}\n{wanted.read_text()}"
    if not mark.exists() or mark.read_text() != content:
        print("Installing the peers' packages …", flush=True)
        venv.create(FOLDER / "python", with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _install([*pip, "-r", str(wanted)], FOLDER)
        mark.write_text(content)
    return str(python)


@functools.cache
def node() -> str:
    """Return Node's own binary, with the AI SDK installed; empty if there is no Node.

    A wrapper named `node` would hide the process whose CPU is measured.

    Raises:
        SystemExit: npm failed; with its reason.
    """
    folder = str(Path(sys.executable).parent)
    found = shutil.which("node") or shutil.which("node", path=folder)
    npm = shutil.which("npm") or shutil.which("npm", path=folder)
    if not found or not npm:
        return ""
    asked = [found, "-p", "process.execPath"]
    binary = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    if not (PEERS / "ai_sdk" / "node_modules" / "ai").exists():
        print("Installing the AI SDK …", flush=True)
        _install([npm, "ci"], PEERS / "ai_sdk")
    return binary


def _install(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr}\nThe peers' packages can't be installed.")
