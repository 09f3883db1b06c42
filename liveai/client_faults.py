"""What a client does wrong is one line of the log, without a traceback."""

from __future__ import annotations

import logging


class ClientFaults(logging.Filter):
    """Takes the traceback off records that any client can cause, and makes an error a warning.

    A Host that is not allowed, an unreadable form, a text frame that is not UTF-8: nothing is
    broken here, and whoever sends many of them must not fill the log.
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
    if record.name == "django.request":  # a 4xx is a warning, a 5xx an error
        return record.levelno <= logging.WARNING
    kind = record.exc_info[0] if record.exc_info else None
    return record.name == "uvicorn.error" and kind is UnicodeDecodeError
