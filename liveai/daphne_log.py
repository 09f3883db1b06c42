"""Daphne's access log as records, like all other lines; it has no setting for that."""

from __future__ import annotations

import logging
from typing import Any

from daphne.access import AccessLogGenerator

logger = logging.getLogger("daphne.access")


def _log_entry(
    self: AccessLogGenerator,
    host: Any,
    date: Any,
    request: str,
    status: Any = None,
    length: Any = None,
    ident: Any = None,
    user: Any = None,
) -> None:
    logger.info('%s "%s" %s %s', host, request, status or "-", length or "-")


def guard_daphne_access_log() -> None:
    """Send what Daphne would write itself, with whole queries, through `logging`."""
    AccessLogGenerator.write_entry = _log_entry
