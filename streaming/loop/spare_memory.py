"""Return the memory that a burst freed to the operating system.

glibc keeps freed memory for the next burst: after a flood of connections, a process stays at its
peak size. Other platforms (macOS, musl) have no such call.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Awaitable, Callable

QUIET_SHARE = 0.2
"""A process is quiet if it uses less than this share of a core."""

AFTER_CPU_SECONDS = 1.0
"""CPU time that a process uses before it has memory to give back again."""

LATEST_SECONDS = 60.0
"""How long it waits for a quiet moment."""


def _find_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim = ctypes.CDLL(None).malloc_trim
        trim.argtypes = [ctypes.c_size_t]
        return trim
    except (OSError, AttributeError):
        return None


_trim = _find_trim()


def give_back() -> None:
    """Return freed memory to the system. Takes a few milliseconds; other threads run meanwhile."""
    if _trim is not None:
        _trim(0)


class SpareMemory:
    """Decides when memory is given back: in a quiet moment, after work.

    Args:
        run: runs `give_back` on a thread.
        now: seconds, monotonic.
        cpu: the CPU time that this process has used, in seconds.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], None]], Awaitable[None]],
        *,
        now: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._run = run
        self._now = now
        self._cpu = cpu
        self._looked_at, self._used = now(), cpu()
        self._given_at, self._used_then = self._looked_at, self._used

    async def tidy(self) -> None:
        """Give memory back if that is due. Call about once a second."""
        now, used = self._now(), self._cpu()
        is_quiet = used - self._used < QUIET_SHARE * (now - self._looked_at)
        self._looked_at, self._used = now, used
        if used - self._used_then < AFTER_CPU_SECONDS:
            return
        if is_quiet or now - self._given_at >= LATEST_SECONDS:
            self._given_at, self._used_then = now, used
            await self._run(give_back)
