"""Finds the members of an object under the names that models give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Any

_MARKS = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """Return a name without case, blanks, dashes and underscores."""
    return _MARKS.sub("", name).casefold()


def members(value: dict[str, Any], names: Set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the members with one of these folded names, each with its folded name, in order."""
    for name, member in value.items():
        key = folded(name)
        if key in names:
            yield key, member


def first_text(value: dict[str, Any], names: Set[str]) -> Any:
    """Return the first of these members that is a text and not empty, or else the first at all."""
    found = [member for _, member in members(value, names) if member is not None]
    return next((one for one in found if isinstance(one, str) and one), found[0] if found else None)


def as_text(value: Any) -> Any:
    """Return a number or a truth value as text, and everything else as it is."""
    if isinstance(value, bool | int | float):
        return str(value)
    return value
