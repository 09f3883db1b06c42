"""Return the memory that a burst freed to the operating system.

glibc keeps freed memory for the next burst: after a flood of connections, a process stays at its
peak size. Other platforms (macOS, musl) have no such call.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable


def _find_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None


_trim = _find_trim()


def give_back() -> None:
    """Return freed memory to the system. Takes a few milliseconds; other threads run meanwhile."""
    if _trim is not None:
        _trim(0)
