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
        subprocess.CalledProcessError: pip failed; it said why.
    """
    python = FOLDER / "python" / "bin" / "python"
    wanted = PEERS / "requirements.txt"
    mark = FOLDER / "python" / "installed.txt"
    content = f"{sys.version}\n{wanted.read_text()}"
    if not mark.exists() or mark.read_text() != content:
        print("Installing the peers' packages …", flush=True)
        venv.create(FOLDER / "python", with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(wanted)], check=True, stderr=subprocess.PIPE)
        mark.write_text(content)
    return str(python)


@functools.cache
def node() -> str:
    """Return Node's own binary, with the AI SDK installed; empty if there is no Node.

    A wrapper named `node` would hide the process whose CPU is measured.
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
        subprocess.run(
            [npm, "ci", "--silent"], cwd=PEERS / "ai_sdk", check=True, stderr=subprocess.PIPE
        )
    return binary
