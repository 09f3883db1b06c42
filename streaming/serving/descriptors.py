"""File descriptors: the limit of the process, and the share that connections may take."""

from __future__ import annotations

import errno
import os
import resource

OWN = 128
"""Descriptors for the database, files, Redis, pipes and the sockets being refused."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


def raise_limit() -> int:
    """Raise RLIMIT_NOFILE to its hard limit, and return the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS reports a hard limit that it does not grant
        return soft
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connections_at_most(wanted: int, *, descriptors: int, running: int) -> int:
    """Compute how many connections may be open, with descriptors in reserve for everything else.

    Args:
        wanted: LIMIT_CONNECTIONS; 0 means no limit.
        descriptors: the process's limit of descriptors; -1 means no limit.
        running: streams that may run at a time; each may hold a connection to its model.

    Returns:
        The limit; 0 means no limit.
    """
    if descriptors < 0:
        return wanted
    reserve = min(OWN + running, descriptors // 2)
    room = descriptors - reserve
    return min(wanted, room) if wanted else room


def are_exhausted() -> bool:
    """Whether the process can't open one more descriptor."""
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error.errno in _EXHAUSTED
    return False
