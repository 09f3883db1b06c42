"""Keeps an API key out of the HTTP library's log lines, which show headers at DEBUG."""

from __future__ import annotations

import logging

# Loggers do not inherit filters, so this lists each logger that httpx and httpcore write to.
_LOGGER_NAMES = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


class KeyRedaction(logging.Filter):
    """Replaces one key with `[key]`; does nothing for an empty key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def install(self) -> None:
        if self._key:
            for name in _LOGGER_NAMES:
                logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        for name in _LOGGER_NAMES:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if self._key in line:
            record.msg, record.args = self.redact(line), None
        return True

    def redact(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text
