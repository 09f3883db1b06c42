"""How often a test repeats: enough for a push, and in full with `scripts/test --full`."""

from __future__ import annotations

import os

IS_FULL = bool(os.environ.get("LIVEAI_FULL"))


def sized(for_a_push: int, in_full: int) -> int:
    return in_full if IS_FULL else for_a_push
