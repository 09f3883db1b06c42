"""Checks that no source file is too long and that `streaming/` stays small at its top level."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LINES_AT_MOST = 400
MODULES_AT_MOST = 16
"""At the top level of `streaming/`, without `__init__.py`."""

SOURCES = (
    "manage.py",
    "liveai/**/*.py",
    "operating/**/*.py",
    "frontend/*.py",
    "streaming/**/*.py",
    "blocks/**/*.py",
    "benchmarks/**/*.py",
    "tests/**/*.py",
    "scripts/**/*.py",
    "frontend/*.ts",
    "frontend/bundle/**/*.ts",
    "frontend/package/*.ts",
    "frontend/examples/**/*.tsx",
    "frontend/src/**/*.ts",
    "frontend/src/**/*.tsx",
    "frontend/tests/**/*.ts",
    "frontend/tests/**/*.tsx",
)


def main(root: Path = ROOT) -> int:
    """Print each file and folder that exceeds its bound; return the exit code."""
    offenders = [*too_long(root), *too_many(root)]
    for offender in offenders:
        print(offender)
    return 1 if offenders else 0


def too_long(root: Path) -> Iterator[str]:
    """Name each source file that has too many lines."""
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_AT_MOST:
            yield f"{path.relative_to(root)}: {lines} lines, at most {LINES_AT_MOST}"


def too_many(root: Path) -> Iterator[str]:
    """Name `streaming/` if it has too many modules at its top level."""
    modules = [path for path in root.glob("streaming/*.py") if path.stem != "__init__"]
    if len(modules) > MODULES_AT_MOST:
        yield f"streaming: {len(modules)} modules at its top level, at most {MODULES_AT_MOST}"


if __name__ == "__main__":
    sys.exit(main())
