"""Runs commands with a read-only file system, in a mount namespace of their own (Linux)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

NO_NAMESPACES = "no mount namespaces (unshare -rm) on this machine, so no disk can be read-only"

_SCRIPT = """
set -e
for folder in "${@:2:$1}"; do mount --bind "$folder" "$folder"; done
mount -o remount,bind,ro /
awk '$2 != "/" && $2 !~ "^/(proc|sys|dev)(/|$)" { print $2 }' /proc/mounts | while read -r place; do
    mount -o remount,bind,ro "$place" 2>/dev/null || true
done
for folder in "${@:2:$1}"; do mount -o remount,bind,rw "$folder"; done
shift $(($1 + 1))
exec "$@"
"""


def read_only(*writable: Path) -> list[str]:
    """Return the beginning of a command line that runs the rest with a read-only disk.

    Args:
        writable: folders that stay writable. Temporary folders are read-only too unless named.
    """
    folders = [str(folder) for folder in writable]
    return ["unshare", "-rm", "bash", "-c", _SCRIPT, "read-only", str(len(folders)), *folders]


def can_be_read_only(probe: Path) -> bool:
    """Whether this machine can do that: `probe`, a new file, can't be created then."""
    command = ["bash", "-c", f"! touch '{probe}' 2>/dev/null"]
    try:
        return subprocess.run([*read_only(), *command], capture_output=True).returncode == 0
    except OSError:
        return False


def run_read_only(
    command: Sequence[str], *writable: Path, cwd: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with a read-only disk."""
    return subprocess.run(
        [*read_only(*writable), *command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
