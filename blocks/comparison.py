"""What differs between two versions of a block type, for people to read. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from typing import Any, Literal

CONTEXT_LINES = 2

LINES_AT_MOST = 1_000
"""Lines that are compared, and lines that are shown: comparing takes up to their square."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text before and after: in both, only before, or only after."""

    kind: Literal["same", "old", "new", "gap"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    old: Any
    new: Any

    @property
    def lines(self) -> list[Line]:
        """The changed lines, with some around them."""
        old, new = _lines(self.old), _lines(self.new)
        found: list[Line] = []
        # The first two lines are the header of a file.
        for line in islice(unified_diff(old, new, lineterm="", n=CONTEXT_LINES), 2, None):
            if line.startswith("@@"):
                if found:
                    found.append(Line("gap", "…"))
                continue
            kind: Literal["same", "old", "new"]
            kind = "old" if line[0] == "-" else "new" if line[0] == "+" else "same"
            found.append(Line(kind, line[1:]))
            if len(found) >= LINES_AT_MOST:
                return [*found, Line("gap", "…")]
        return found


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the fields that differ, in the order of `new`."""
    return [
        Change(name, old.get(name), value)
        for name, value in new.items()
        if name not in old
        or old[name] != value
        or isinstance(old[name], bool) is not isinstance(value, bool)  # True equals 1
    ]


def in_words(value: Any) -> str:
    """Return a value as a person reads it: yes and no, `–` for nothing, JSON in lines."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _lines(value: Any) -> list[str]:
    lines = in_words(value).splitlines()
    return lines if len(lines) <= LINES_AT_MOST else [*lines[:LINES_AT_MOST], "…"]
