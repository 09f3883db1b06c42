"""Lowers log records that tell nobody to do something: one line at INFO, without a traceback."""

from __future__ import annotations

import logging


class ClientFaults(logging.Filter):
    """Lowers what any client can cause, and our own 503s, to INFO. Such a record has no traceback.

    Examples are an unknown path, a Host that is not allowed, an unreadable form, or a text frame
    that is not UTF-8. The server is not at fault, and a client must not be able to fill the list of
    warnings. A 503 has a reason, which has a warning of its own, or is a planned shutdown.

    Drops what was lowered if the log begins above INFO (`DJANGO_LOG_LEVEL`).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not (_is_client_fault(record) or _is_unavailable(record)):
            return True
        record.exc_info = record.exc_text = record.stack_info = None
        if record.levelno > logging.INFO:
            record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger().isEnabledFor(record.levelno)


def _is_client_fault(record: logging.LogRecord) -> bool:
    if record.name.startswith("django.security."):
        return True
    if record.name == "django.request":  # 4xx are warnings, 5xx are errors
        return record.levelno <= logging.WARNING
    kind = record.exc_info[0] if record.exc_info else None
    return record.name == "uvicorn.error" and kind is UnicodeDecodeError


def _is_unavailable(record: logging.LogRecord) -> bool:
    """Whether it is a 503 that a view returned; an exception would be a fault of the site."""
    is_503 = getattr(record, "status_code", None) == 503
    return is_503 and record.name == "django.request" and not record.exc_info
