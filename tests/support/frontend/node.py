"""Runs the front end's own tools from the Python tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FRONTEND = Path(__file__).parents[3] / "frontend"
LIMIT_SECONDS = 600.0


def node_environment(**more: str) -> dict[str, str]:
    """Build an environment whose `node` and `npx` are those that built the project."""
    own = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "CI": "1", **more}


def run_vitest(file: str, *options: str, **environment: str) -> str:
    """Run a file of tests that need a server, and return its output.

    Raises:
        AssertionError: a test failed; the message contains the output.
    """
    env = node_environment(**environment)
    npx = shutil.which("npx", path=env["PATH"])
    assert npx, "Node is missing: scripts/test installs it."
    command = [npx, "--no-install", "vitest", "run", "--config", "vitest.server.config.ts"]
    done = subprocess.run(
        [*command, file, *options],
        cwd=FRONTEND,
        env=env,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
