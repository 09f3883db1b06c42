"""Reads the text of one part, whole or as far as it has come, and tells what is new in it.

jiter does the reading. Strict JSON, and beyond it: no member twice in an object, no number that
JavaScript can't hold, at most MAX_PART_DEPTH levels. NUL, which no database takes, becomes U+FFFD.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import jiter

MAX_PART_DEPTH = 32  # levels of arrays and objects
_MAX_INTEGER = 2**53 - 1  # the largest that JavaScript keeps exact

Path = tuple[str | int, ...]


def read_whole(text: bytes) -> Any:
    """The value that a JSON text is.

    Raises:
        ValueError: it is none, or none that can be passed on.
    """
    value = jiter.from_json(text, catch_duplicate_keys=True, allow_inf_nan=False)
    return _usable(value, MAX_PART_DEPTH)


def read_begun(text: bytes) -> Any:
    """The value as far as it can be seen: each string in it is the beginning of the later one.

    Raises:
        ValueError: nothing can be seen, yet or for good.

    Cost: one pass of jiter, some microseconds for a part of the largest size.
    """
    value = jiter.from_json(
        text,
        partial_mode="trailing-strings",
        catch_duplicate_keys=True,
        cache_mode="keys",  # half a string does not come again
    )
    # NUL comes by this escape alone; all else that is not usable is found when the part is whole.
    return _usable(value, MAX_PART_DEPTH) if rb"\u0000" in text else value


def growth(before: Any, now: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """What the strings of a value have gained, in their order, none of it empty.

    Args:
        before: an earlier look at the same value; None if there was none.

    Goes down where the text was still open alone: what stands before that can't have changed.
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
