"""Keeps secrets out of the HTTP library's log lines, which show addresses, and headers at DEBUG."""

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
    """Replaces each secret with `[key]`; ignores empty ones."""

    def __init__(self, *secrets: str) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if secret]

    def install(self) -> None:
        if self._secrets:
            for name in _LOGGER_NAMES:
                logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        for name in _LOGGER_NAMES:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        redacted = self.redact(line)
        if redacted != line:
            record.msg, record.args = redacted, None
        return True

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text
