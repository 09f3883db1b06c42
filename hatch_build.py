"""What the wheel needs beyond its files: dependencies from requirements*.txt, and the built pages.

requirements.txt pins what this repository is tested with. A host has other packages, too, so the
wheel asks for these versions or newer ones, below the next version that may break something.
"""

from __future__ import annotations

import re
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
    """Refuses a wheel without the built pages: it would install and show nothing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if (
            version == "standard"
            and not (Path(self.root) / "frontend/dist/manifest.json").is_file()
        ):
            raise FileNotFoundError(
                "The pages are not built. Run this first: cd frontend && npm ci && npm run build"
            )


def get_build_hook() -> type[BuildHookInterface]:
    return Pages


def get_metadata_hook() -> type[MetadataHookInterface]:
    return Metadata


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
