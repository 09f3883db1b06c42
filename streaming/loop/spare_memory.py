"""Memory that a burst needed and that nobody uses any more goes back to the system.

glibc keeps freed memory for the next burst: after a flood of connections a process stays as large
as it was at the peak. Elsewhere (macOS, musl) there is nothing to call.
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
    """Takes some milliseconds, in which other threads run."""
    if _trim is not None:
        _trim(0)
