"""Django's `LOGGING`: one line per record, without what is not worth a line."""

from __future__ import annotations

from typing import Any


def logging_at(level: str, *, kind: str = "console", is_journal: bool = False) -> dict[str, Any]:
    """Return the configuration that logs from this level up, to standard error.

    Args:
        kind: `console` or `json`, see liveai/log_formatter.py.
        is_journal: whether systemd's journal reads standard error.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "liveai.log_formatter.LogFormatter",
                "kind": kind,
                "has_priorities": is_journal,
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
            # With DJANGO_DEBUG, a line per statement, with prompts and keys of sessions in it.
            "django.db.backends": {"level": "INFO"},
            # Failed receivers, with their exceptions' texts; streaming.generating.end_signal logs
            # them without.
            "django.dispatch": {"level": "CRITICAL"},
            # At INFO, a line per provider call would name the upstream's address.
            "uvicorn": {"level": "WARNING"},  # a line per socket; `serve` logs what matters
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "axes": {
                "level": "ERROR"
            },  # several lines per failure; streaming.access.sign_in writes one
            # Lines for each batch and retry, with the endpoint, which may hold a password;
            # streaming.serving.otel_export logs one a minute. The other quotes faulty headers.
            "opentelemetry.exporter": {"level": "CRITICAL"},
            "opentelemetry.util": {"level": "ERROR"},
            "taskiq": {"level": "ERROR"},  # lines for each answer, and a warning at shutdown
            # A traceback per second while Redis is unreachable; streaming.channel_layer logs it
            # once.
            "channels_redis": {"level": "CRITICAL"},
        },
    }
