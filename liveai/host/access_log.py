"""Keeps prompts out of uvicorn's access log: a start by GET has its prompt in its address."""

from __future__ import annotations

import logging

ACCESS = "uvicorn.access"
_ADDRESS = 2
"""uvicorn's arguments: client, method, address with query, version, status."""


def hide_queries(record: logging.LogRecord) -> bool:
    """Remove the query from the address of a call that starts an answer. A filter of `logging`."""
    args = record.args
    if (
        isinstance(args, tuple)
        and len(args) > _ADDRESS
        and "/stream/ai-block/" in str(args[_ADDRESS])
    ):
        path = str(args[_ADDRESS]).partition("?")[0]
        record.args = (*args[:_ADDRESS], path, *args[_ADDRESS + 1 :])
    return True


def guard_uvicorn_access_log() -> None:
    """Do so from now on. Idempotent."""
    logging.getLogger(ACCESS).addFilter(hide_queries)
