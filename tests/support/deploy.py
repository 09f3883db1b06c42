"""The folder `deploy/` and its units; and a machine that is a folder, where its steps are typed."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.servers.harness import ROOT

DEPLOY = ROOT / "deploy"

STOOD_IN = {
    "deploy/build/packages node": "ln -sfn {prefix} .venv",
    "deploy/build/pages": "[ ! -d {root}/frontend/dist ] || cp -r {root}/frontend/dist frontend/",
}
"""What a command would fetch from a registry is here. tests/test_deploy_build.py runs them."""


SITE = "ai.liveai.test"
"""The host name that replaces the one of `deploy/env.example`."""


def example_settings() -> dict[str, str]:
    """Return the settings of `deploy/env.example`, with real values for its placeholders."""
    lines = (DEPLOY / "env.example").read_text("utf-8")
    key = "gDfhOMx0-7mJ2wq_Rk3sVZ5uTn8yLbEoPaCxI1vN4tQeHdUj6KrYzWBfS9lGiXpA"
    for placeholder, value in {
        "CHANGE-ME": key,
        "openai:NAME": "openai:small",
        "api.example.org": "api.liveai.test",
        "smtp+tls://NAME:": "smtp+tls://liveai:",
        "mail.example.org": "mail.liveai.test",
        "ai.example.org": SITE,
    }.items():
        assert placeholder in lines
        lines = lines.replace(placeholder, value)
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", lines, re.MULTILINE))


def unit_at(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


def make_repository(folder: Path) -> Path:
    """Make a git repository of this project, with the versions `v0.1.0` and `v0.2.0`."""
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
    ours = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    for name in (*ours, "specs", "deploy"):
        if name not in ("tests", "benchmarks"):
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for name in ("manage.py", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    git = ["git", "-c", "user.name=a test", "-c", "user.email=test@liveai.test"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "One"], ["tag", "v0.1.0"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    (folder / "only-in-the-second-version").touch()
    for command in (["add", "."], ["commit", "-qm", "Two"], ["tag", "v0.2.0"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


def on_machine(command: str, machine: Path, filled_in: Mapping[str, str]) -> str:
    """Adapt a documented command to a machine that is a folder, and to the user of the tests.

    Args:
        machine: the folder that replaces `/`.
        filled_in: placeholder, or another text → its value.
    """
    if command in STOOD_IN:
        return STOOD_IN[command].format(prefix=shlex.quote(sys.prefix), root=shlex.quote(str(ROOT)))
    command = re.sub(r"\brunuser -u \w+ -- ", "", command)
    command = re.sub(r"(?<=^install )(-d )?-o \w+ -g \w+", lambda m: m[1] or "", command)
    command = re.sub(r"(?<![\w.])/(etc|srv|opt|var/backups)(?=/)", rf"{machine}/\1", command)
    for placeholder, value in filled_in.items():
        command = command.replace(placeholder, value)
    return command
