"""JSON whose numbers are finite: no Infinity, no NaN, none beyond the range of a float. Pure.

Python reads and writes them all, but databases store no such JSON, and arithmetic overflows.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

SHOWN_CHARACTERS = 20


class NotFinite(ValueError):
    """A number is Infinity, NaN or beyond ±1.8e308."""


def loads(text: str) -> Any:
    """Read JSON.

    Raises:
        NotFinite: it holds such a number.
        ValueError: it is not JSON.
        RecursionError: it is nested too deep to be read.
    """
    return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_refuse)


def _integer(digits: str) -> int:
    _float(digits)
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        _refuse(digits)
    return value


def _refuse(written: str) -> Any:
    short = written if len(written) <= SHOWN_CHARACTERS else f"{written[:SHOWN_CHARACTERS]}…"
    raise NotFinite(f"{short} is not a finite number")
