"""Priorities of log lines for systemd's journal, so that `journalctl -p warning` finds them."""

from __future__ import annotations

import logging
import os

STDERR = 2

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""By least level; sd-daemon(3). All others are debug."""

_DEBUG = 7


def with_priority(text: str, level: int) -> str:
    """Begin each line with the priority of its level, such as `<4>`. The journal removes it."""
    prefix = f"<{next((found for least, found in _PRIORITIES if level >= least), _DEBUG)}>"
    return prefix + text.replace("\n", f"\n{prefix}")


def is_journal(journal_stream: str, *, descriptor: int = STDERR) -> bool:
    """Whether what a descriptor takes goes to the journal.

    Args:
        journal_stream: systemd's variable `JOURNAL_STREAM`: device and inode of the journal's
            stream. A child process may inherit it although its output goes elsewhere.
    """
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return journal_stream == f"{found.st_dev}:{found.st_ino}"
