"""File descriptors: how many there are, and how many of them connections may take."""

from __future__ import annotations

import errno
import os
import resource

OWN = 128
"""For the database, files, Redis, pipes and the sockets that are being refused."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


def raise_limit() -> int:
    """Raise RLIMIT_NOFILE to its hard limit; returns how many descriptors there are now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS has a hard limit that it does not grant
        return soft
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connections_at_most(wanted: int, *, descriptors: int, running: int) -> int:
    """How many connections may be open, so that there is a descriptor left for all else.

    Args:
        wanted: LIMIT_CONNECTIONS; 0 is no limit.
        descriptors: how many there are; -1 is no limit.
        running: streams that may run at a time; each may hold a connection to its model.
    """
    if descriptors < 0:
        return wanted
    reserve = min(OWN + running, descriptors // 2)
    room = descriptors - reserve
    return min(wanted, room) if wanted else room


def are_exhausted() -> bool:
    """Whether not one more descriptor can be had."""
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error.errno in _EXHAUSTED
    return False
