"""Series that alerts ask about exist from the start: an increase from nothing is none."""

from __future__ import annotations

import subprocess
import sys

NAMES = """
from streaming.metrics.counted import REGISTRY
for code in ("over_capacity", "store_unavailable", "shutting_down", "internal"):
    print(REGISTRY.get_sample_value("liveai_starts_refused_total", {"code": code}))
"""


def test_refusals_for_want_of_room_are_counted_from_zero() -> None:
    # In a process of its own: other tests refuse starts in this one.
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.0"] * 4
