"""Text within parts: which strings can be shown, and which ones a reader would call equal."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_text(value: Any, max_length: int) -> TypeGuard[str]:
    """Whether the value is a string of at most `max_length` characters that are not all blank."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= max_length


def sameness(text: str) -> str:
    """Return a key that is equal for texts differing only in case, blanks or final punctuation."""
    return " ".join(text.casefold().split()).rstrip(" .?!") or text
