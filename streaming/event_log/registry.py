"""Which event log a process has: in memory, or in Redis where there is one."""

from __future__ import annotations

from collections.abc import Callable

from .base import EventLog
from .memory import MemoryEventLog


def make_event_log(
    url: str, *, prefix: str, keep_seconds: float, keep_bytes: int, now: Callable[[], float]
) -> EventLog:
    """
    Args:
        url: of Redis; empty: memory, for one process.
        prefix: of the keys in Redis.
        keep_seconds: how long a log is kept after its stream's end.
        keep_bytes: what ended logs in memory may take together; 0: no bound. In Redis each has
            its own expiry.
        now: seconds, monotonic.
    """
    if not url:
        return MemoryEventLog(keep_seconds=keep_seconds, keep_bytes=keep_bytes, now=now)
    # Imported when it is asked for: redis takes a while, and one process needs none.
    from .redis.log import RedisEventLog

    return RedisEventLog(url, prefix=prefix, keep_seconds=keep_seconds)
