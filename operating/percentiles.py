"""Percentiles of counted values."""

from __future__ import annotations

from collections.abc import Mapping


def percentile(counts: Mapping[int, int], percent: int) -> int | None:
    """Return the smallest value that at least so many per cent of all values do not exceed.

    Args:
        counts: how often each value occurs.
        percent: 1 to 100.

    Returns:
        None: nothing was counted.
    """
    total = sum(counts.values())
    rank = -(-total * percent // 100)  # rounded up
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0 and total:
            return value
    return None
