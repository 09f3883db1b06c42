"""Reduces log records of client mistakes to one line, without a traceback."""

from __future__ import annotations

import logging


class ClientFaults(logging.Filter):
    """Removes the traceback from records that any client can cause, and lowers errors to warnings.

    Examples are a Host that is not allowed, an unreadable form, or a text frame that is not UTF-8.
    The server is not at fault, and a client must not be able to fill the log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_client_fault(record):
            record.exc_info = record.exc_text = record.stack_info = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _is_client_fault(record: logging.LogRecord) -> bool:
    if record.name.startswith("django.security."):
        return True
    if record.name == "django.request":  # 4xx are warnings, 5xx are errors
        return record.levelno <= logging.WARNING
    kind = record.exc_info[0] if record.exc_info else None
    return record.name == "uvicorn.error" and kind is UnicodeDecodeError
