"""The golden runs in the other dialects, as documents that other languages can test against."""

from __future__ import annotations

from typing import Any

from tests.specs.golden_run import GoldenRun
from tests.support.streaming.dialects import CASES, body_of


def documents_of_dialects(runs: tuple[GoldenRun, ...]) -> dict[str, Any]:
    """Map file name to document: for each dialect, the body of each run."""
    return {f"dialect-{name}.json": _document(name, runs) for name in CASES}


def _document(name: str, runs: tuple[GoldenRun, ...]) -> dict[str, Any]:
    bodies = {}
    for run in runs:
        body = body_of(run, CASES[name].make())
        text = body.whole.decode()
        bodies[run.name] = {"is_cut": body.is_cut, "body": text.splitlines(keepends=True)}
    return {
        "name": name,
        "description": "The body that a viewer of each golden run gets in this dialect, by lines.",
        "runs": bodies,
    }
