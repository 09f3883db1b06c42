"""The results of the comparison: medians over the rounds, kept in one file."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .goals import judged
from .plan import Figures, Found

FOLDER = Path(__file__).parent.parent / "results"
FILE = FOLDER / "compare.json"
_WORST = ("delivered", "delivered_new", "opened")
"""Shares of what must be complete: a median would hide a loss."""


def medians(rounds: list[Figures]) -> dict[str, float | None]:
    """Return the median of each figure, but the minimum of what must be complete.

    A figure that is infinite, because nothing arrived, becomes None.
    """
    return {name: _median(name, [each[name] for each in rounds]) for name in rounds[0]}


def _median(name: str, values: list[float]) -> float | None:
    if name in _WORST:
        return min(values)
    middle = statistics.median(values)
    return round(middle, 3) if math.isfinite(middle) else None


def summary(found: Mapping[str, Found]) -> dict[str, Any]:
    """Return the loads and the goals of a run, as JSON."""
    return {
        "loads": {
            load: {case: medians(rounds) for case, rounds in cases.items()}
            for load, cases in found.items()
        },
        "rounds": {load: max(map(len, cases.values())) for load, cases in found.items()},
        "goals": judged(found),
    }


def merged(earlier: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Replace whole loads of earlier results; a ratio never mixes two runs."""
    kept = [goal for goal in earlier.get("goals", []) if goal["load"] not in new["loads"]]
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "rounds": earlier.get("rounds", {}) | new["rounds"],
        "goals": kept + new["goals"],
        "loads": earlier.get("loads", {}) | new["loads"],
    }


def read(path: Path = FILE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write(results: Mapping[str, Any], path: Path = FILE) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
