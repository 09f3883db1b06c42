"""Create a process's event log: in Redis if configured, else in memory."""

from __future__ import annotations

from collections.abc import Callable

from .base import EventLog
from .memory import MemoryEventLog


def make_event_log(
    url: str, *, prefix: str, keep_seconds: float, keep_bytes: int, now: Callable[[], float]
) -> EventLog:
    """Create the event log that the settings select.

    Args:
        url: Redis URL; empty: an in-memory log for one process.
        prefix: prefix of the Redis keys.
        keep_seconds: how long a log is kept after its stream's end.
        keep_bytes: memory bound of all ended in-memory logs together; 0: no bound. In Redis each
            log has its own expiry.
        now: seconds, monotonic.
    """
    if not url:
        return MemoryEventLog(keep_seconds=keep_seconds, keep_bytes=keep_bytes, now=now)
    # Imported lazily: importing redis is slow, and a single process needs none.
    from .redis.log import RedisEventLog

    return RedisEventLog(url, prefix=prefix, keep_seconds=keep_seconds)
