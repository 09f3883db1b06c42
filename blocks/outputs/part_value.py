"""Parses the text of one part, complete or partial, and reports what is new in it.

jiter parses strict JSON. On top of that: no duplicate members in an object, no number that
JavaScript can't hold, at most MAX_PART_DEPTH levels. NUL, which no database accepts, becomes
U+FFFD.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import jiter

MAX_PART_DEPTH = 32  # levels of arrays and objects
_MAX_INTEGER = 2**53 - 1  # the largest integer that JavaScript keeps exact

Path = tuple[str | int, ...]


def read_whole(text: bytes) -> Any:
    """Parse a complete JSON text.

    Raises:
        ValueError: invalid JSON, or a value that can't be passed on.
    """
    value = jiter.from_json(text, catch_duplicate_keys=True, allow_inf_nan=False)
    return _usable(value, MAX_PART_DEPTH)


def read_begun(text: bytes) -> Any:
    """Parse the readable beginning of a value: each string in it is a prefix of the final one.

    Raises:
        ValueError: nothing is readable, yet or ever.

    Cost: one pass of jiter, some microseconds for a part of the largest size.
    """
    value = jiter.from_json(
        text,
        partial_mode="trailing-strings",
        catch_duplicate_keys=True,
        cache_mode="keys",  # partial strings do not repeat
    )
    # NUL can only come from this escape. The parse of the complete part finds every other unusable
    # value.
    return _usable(value, MAX_PART_DEPTH) if rb"\u0000" in text else value


def growth(before: Any, now: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield what the strings of a value have gained, in order; never empty.

    Args:
        before: an earlier parse of the same value; None if there was none.

    Descends only where the text was still open: everything before that can't have changed.
    """
    if isinstance(now, str):
        if fresh := now[len(before) if isinstance(before, str) else 0 :]:
            yield path, fresh
    elif isinstance(now, dict | list):
        steps: Sequence[Any] = list(now) if isinstance(now, dict) else range(len(now))
        last = len(before) - 1 if isinstance(before, dict | list) else -1
        for place in range(max(0, last), len(steps)):
            step = steps[place]
            earlier = before[step] if place == last else None
            yield from growth(earlier, now[step], (*path, step))


def _usable(value: Any, depth: int) -> Any:
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case int() if abs(value) > _MAX_INTEGER:
            raise ValueError("an integer that is not exact everywhere")
        case float() if not math.isfinite(value):
            raise ValueError("a number out of range")
        case dict() | list() if not depth:
            raise ValueError("too deep")
        case dict():
            members = {_usable(k, depth): _usable(v, depth - 1) for k, v in value.items()}
            if len(members) < len(value):
                raise ValueError("a member twice, but for NUL")
            return members
        case list():
            return [_usable(element, depth - 1) for element in value]
    return value
