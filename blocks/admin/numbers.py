"""Numbers of rows in addresses."""

from __future__ import annotations


def number(text: str) -> int | None:
    """Return the number of a row; None, which no row has, if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
