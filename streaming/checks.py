"""System checks: settings that can't be right, each with what to write instead."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

_POSITIVE = [
    "STREAM_ABANDON_SECONDS",
    "STREAM_MAX_AGE_SECONDS",
    "STREAM_LOG_SECONDS",
    "STREAM_MAX_EVENTS",
    "STREAM_MAX_RUNNING",
    "STREAM_DEADLINE_SECONDS",
]


@register("streaming")
def check_streaming(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.STREAMING_BACKEND not in ("sse", "websocket"):
        found.append(
            Error(
                f"STREAMING_BACKEND is {settings.STREAMING_BACKEND!r}.",
                hint="Write STREAMING_BACKEND=sse or STREAMING_BACKEND=websocket.",
                id="streaming.E001",
            )
        )
    for name in _POSITIVE:
        if not getattr(settings, name) > 0:  # NaN is neither
            found.append(
                Error(
                    f"{name} must be above 0.",
                    hint=f"See {name} in .env.example.",
                    id="streaming.E002",
                )
            )
    if not settings.STREAM_DRAIN_SECONDS >= 0:
        found.append(
            Error("STREAM_DRAIN_SECONDS is negative.", hint="Write 0 or more.", id="streaming.E003")
        )
    if any("GZipMiddleware" in name for name in settings.MIDDLEWARE):
        found.append(
            Warning(
                "GZipMiddleware holds event streams back; Chromium reads only their first piece.",
                hint="Leave it out of MIDDLEWARE; compress in the proxy, but no text/event-stream.",
                id="streaming.W001",
            )
        )
    if settings.REDIS_URL:
        found.append(
            Warning(
                "REDIS_URL is set: it carries the session's control messages; streams are still "
                "kept in the memory of the process that generates them.",
                hint="Run one process.",
                id="streaming.W002",
            )
        )
    return found
