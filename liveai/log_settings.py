"""Django's `LOGGING`: one line per record, without what is not worth a line."""

from __future__ import annotations

from typing import Any


def logging_at(level: str) -> dict[str, Any]:
    """Return the configuration that logs from this level up, to the console."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "class": "liveai.log_lines.LineFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            }
        },
        "filters": {"client-faults": {"()": "liveai.client_faults.ClientFaults"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["client-faults"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # At INFO, a line per provider call would name the upstream's address.
            "uvicorn": {"level": "WARNING"},  # a line per socket; `serve` logs what matters
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "axes": {
                "level": "ERROR"
            },  # several lines per failure; streaming.access.sign_in writes one
            "taskiq": {"level": "ERROR"},  # lines for each answer, and a warning at shutdown
            # A traceback per second while Redis is unreachable; streaming.channel_layer logs it
            # once.
            "channels_redis": {"level": "CRITICAL"},
        },
    }
