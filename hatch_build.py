"""What the wheel needs beyond its files: dependencies from requirements*.txt, and the built pages.

requirements.txt pins what this repository is tested with. A host has other packages, too, so the
wheel asks for these versions or newer ones, below the next version that may break something.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

EXTRAS = {
    "redis": ("channels-redis", "redis", "hiredis", "taskiq", "taskiq-redis"),
    "postgres": ("psycopg[binary]",),
    "local-model": ("xllamacpp",),
}
"""Packages of requirements.txt that are needed only with such a setting."""

MORE = {"otel": "requirements-otel.txt", "social": "requirements-social.txt"}
"""Extras that have a file of their own."""

_PIN = re.compile(r"(?P<name>[\w.\[\]-]+)==(?P<version>[\w.]+)(?P<marker>\s*;.*)?")


class Metadata(MetadataHookInterface):
    """Takes the dependencies from requirements*.txt."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        base = dict(_pins(root / "requirements.txt"))
        extras = {extra: [base.pop(name) for name in names] for extra, names in EXTRAS.items()}
        for extra, file in MORE.items():
            extras[extra] = list(dict(_pins(root / file)).values())
        metadata["dependencies"] = list(base.values())
        metadata["optional-dependencies"] = extras


class Pages(BuildHookInterface):
    """Builds the pages if they are missing: a wheel without them would install and show nothing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        frontend = Path(self.root) / "frontend"
        if version == "standard" and not (frontend / "dist" / "manifest.json").is_file():
            _build_pages(frontend)


def get_build_hook() -> type[BuildHookInterface]:
    return Pages


def get_metadata_hook() -> type[MetadataHookInterface]:
    return Metadata


def _build_pages(frontend: Path) -> None:
    """Run npm in the folder of the pages.

    Raises:
        RuntimeError: there is no Node, or one that is too old, or npm failed.
    """
    engines = json.loads((frontend / "package.json").read_text("utf-8"))["engines"]
    wanted = engines["node"].removeprefix(">=")
    node, npm = shutil.which("node"), shutil.which("npm")
    # Node may be that of PyPI, a program of Python, and pip hides all packages from those.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = "" if node is None or npm is None else _version_of(node, env)
    if npm is None or _numbers(found) < _numbers(wanted):
        raise RuntimeError(
            "The pages are not built, and building them"
            f" needs Node {wanted} or newer with npm on PATH;"
            f" {f'{found} is there' if found else 'there is none'}."
        )
    for words in (["ci", "--include=dev", "--no-audit", "--no-fund"], ["run", "build"]):
        code = subprocess.run([npm, *words], cwd=frontend, env=env).returncode
        if code:
            command = " ".join(["npm", *words])
            raise RuntimeError(f"The pages are not built: {command} ended with {code}.")


def _version_of(node: str, env: dict[str, str]) -> str:
    """Return what Node says, e.g. `v22.12.0`; empty: it can't be run."""
    done = subprocess.run([node, "--version"], env=env, capture_output=True, text=True)
    return "" if done.returncode else done.stdout.strip()


def _numbers(version: str) -> list[int]:
    """Return the numbers of a version: `v22.12.0` → [22, 12, 0]; of none: nothing."""
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def _pins(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each pinned package, and what the wheel asks for."""
    for line in path.read_text("utf-8").splitlines():
        words = line.partition("#")[0].strip()
        if words and not words.startswith("-"):
            pin = _PIN.fullmatch(words)
            if pin is None:
                raise ValueError(f"{path.name} has a line without an exact version: {words}")
            yield pin["name"], f"{pin['name']}{range_of(pin['version'])}{pin['marker'] or ''}"


def range_of(version: str) -> str:
    """Return the versions from this one to the next that may break something: >=4.3.2,<5."""
    major, _, rest = version.partition(".")
    below = f"0.{int(rest.partition('.')[0]) + 1}" if major == "0" else str(int(major) + 1)
    return f">={version},<{below}"
