"""The texts within parts: which can be shown, and which a reader takes for the same."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_text(value: Any, max_length: int) -> TypeGuard[str]:
    """A string of at most so many characters that are not all blank."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= max_length


def sameness(text: str) -> str:
    """Equal for texts that differ in case, blanks or the mark at the end alone."""
    return " ".join(text.casefold().split()).rstrip(" .?!") or text
