"""System checks: report invalid settings, with a hint for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.utils import timezone

from .access.signed_tokens.issuers import settings_problems
from .event_log.base import LogUnavailable
from .generating.liveness import DEAD_AFTER_SECONDS
from .models import RETENTION_DAYS_AT_MOST, ServerProcess

_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_DATABASE = re.compile(r"/?[0-9]*")
_RUNNERS = ("inline", "worker")

METRICS_TOKEN_CHARACTERS = 16
_POSITIVE = [
    "STREAM_ABANDON_SECONDS",
    "STREAM_MAX_AGE_SECONDS",
    "STREAM_LOG_SECONDS",
    "STREAM_MAX_EVENTS",
    "STREAM_MAX_RUNNING",
    "STREAM_DEADLINE_SECONDS",
    "STREAM_WAIT_SECONDS",
]
_NOT_NEGATIVE = ["STREAM_DRAIN_SECONDS", "STREAM_LOG_BYTES", "STREAM_MAX_WAITING"]

_LIMITS = [
    "LIMIT_RUNNING_PER_OWNER",
    "LIMIT_RUNNING_PER_ADDRESS",
    "LIMIT_STARTS_PER_MINUTE",
    "LIMIT_STARTS_PER_MINUTE_PER_ADDRESS",
    "LIMIT_TOKENS_PER_DAY",
    "LIMIT_TOKENS_PER_MONTH",
    "LIMIT_ANONYMOUS_STARTS_PER_HOUR",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS",
    "LIMIT_CONNECTIONS",
    "LIMIT_CONNECTIONS_PER_ADDRESS",
    "LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS",
    "LIMIT_SOCKETS_PER_OWNER",
    "LIMIT_SOCKETS_PER_ADDRESS",
    "LIMIT_VIEWERS_PER_OWNER",
    "LIMIT_FRAMES_PER_SECOND",
    "LIMIT_REPLAYED_EVENTS_PER_SECOND",
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
    if settings.AI_STREAMING_RUNNER not in _RUNNERS:
        found.append(
            Error(
                f"AI_STREAMING_RUNNER is {settings.AI_STREAMING_RUNNER!r}.",
                hint="Write AI_STREAMING_RUNNER=inline or AI_STREAMING_RUNNER=worker.",
                id="streaming.E006",
            )
        )
    elif settings.AI_STREAMING_RUNNER == "worker" and not settings.REDIS_URL:
        found.append(
            Error(
                "AI_STREAMING_RUNNER=worker without REDIS_URL: there is no queue for workers.",
                hint="Set REDIS_URL, or write AI_STREAMING_RUNNER=inline.",
                id="streaming.E007",
            )
        )
    for name in _POSITIVE:
        if not getattr(settings, name) > 0:  # also rejects NaN, unlike <= 0
            found.append(
                Error(
                    f"{name} must be above 0.",
                    hint=f"See {name} in .env.example.",
                    id="streaming.E002",
                )
            )
    if settings.STREAM_ON_RIGHT_END not in ("continue", "cancel"):
        found.append(
            Error(
                f"STREAM_ON_RIGHT_END is {settings.STREAM_ON_RIGHT_END!r}.",
                hint="Write STREAM_ON_RIGHT_END=continue or STREAM_ON_RIGHT_END=cancel.",
                id="streaming.E022",
            )
        )
    for name in _NOT_NEGATIVE:
        if not getattr(settings, name) >= 0:
            found.append(
                Error(f"{name} is negative.", hint="Write 0 or more.", id="streaming.E003")
            )
    for name in ("STREAM_RETENTION_DAYS", "AUDIT_RETENTION_DAYS"):
        if not 0 <= getattr(settings, name) <= RETENTION_DAYS_AT_MOST:
            found.append(
                Error(
                    f"{name} is {getattr(settings, name)}.",
                    hint=f"Write 1 to {RETENTION_DAYS_AT_MOST}, or 0 to keep everything for ever.",
                    id="streaming.E016",
                )
            )
    for name in _LIMITS:
        if not 0 <= getattr(settings, name) < float("inf"):
            found.append(
                Error(
                    f"{name} is not a valid limit.",
                    hint=f"Write {name}=0 for no limit, or a positive number.",
                    id="streaming.E020",
                )
            )
    for name in ("LIMIT_ANONYMOUS_SHARE", "LIMIT_ANONYMOUS_SHARE_PER_ADDRESS"):
        if not 0 <= getattr(settings, name) <= 100:
            found.append(
                Error(
                    f"{name} is {getattr(settings, name)}.",
                    hint="Write a percentage: 1 to 100, or 0 for no limit.",
                    id="streaming.E021",
                )
            )
    if any("GZipMiddleware" in name for name in settings.MIDDLEWARE):
        found.append(
            Warning(
                "GZipMiddleware buffers event streams; Chromium reads only their first piece.",
                hint="Remove it from MIDDLEWARE; compress in the proxy, except text/event-stream.",
                id="streaming.W001",
            )
        )
    if 0 < len(settings.METRICS_TOKEN) < METRICS_TOKEN_CHARACTERS:
        found.append(
            Error(
                f"METRICS_TOKEN has fewer than {METRICS_TOKEN_CHARACTERS} characters:"
                " it can be guessed.",
                hint='Run python3 -c "import secrets; print(secrets.token_urlsafe(32))" for one.',
                id="streaming.E023",
            )
        )
    if settings.TRACING and not has_opentelemetry():
        found.append(
            Error(
                "TRACING is on, but OpenTelemetry is not installed.",
                hint="Run .venv/bin/pip install -r locks/requirements-otel.txt, or write"
                " TRACING=false.",
                id="streaming.E030",
            )
        )
    if not _is_address(settings.REDIS_URL):
        found.append(
            Error(
                "REDIS_URL is not a Redis URL.",  # value not shown: it may hold a password
                hint="Write redis://, rediss:// or unix://, e.g. REDIS_URL=redis://localhost:6379/0"
                " (escape special characters in the password as %XX), or leave it empty.",
                id="streaming.E005",
            )
        )
    return found


def has_opentelemetry() -> bool:
    """Whether what TRACING needs is installed. Imports none of it."""
    try:
        distribution("opentelemetry-sdk")
        distribution("opentelemetry-exporter-otlp-proto-http")
    except PackageNotFoundError:
        return False
    return True


_BOUNDS_OF_ANONYMOUS = {
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY": "what they use in a day",
    "LIMIT_STARTS_PER_MINUTE_PER_ADDRESS": "how many answers one of them starts",
    "LIMIT_RUNNING_PER_ADDRESS": "how many answers of one of them run at a time",
}
"""What each limit alone bounds. A limit per owner bounds no visitor who drops the cookie."""


@register("streaming", Tags.security, deploy=True)
def check_anonymous_use(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that visitors who are not signed in have limits. Reads only settings."""
    if not settings.AI_ALLOW_ANONYMOUS:
        return []
    return [
        Warning(
            f"AI_ALLOW_ANONYMOUS is on and {name} is 0: nothing bounds {what}.",
            hint=f"Write a limit in {name}; .env.example shows the default. This check does not"
            " know the limits in the admin panel.",
            id="streaming.W004",
        )
        for name, what in _BOUNDS_OF_ANONYMOUS.items()
        if getattr(settings, name) == 0
    ]


@register(Tags.database)
def check_company(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that several processes have a Redis. No setting tells their number; their rows do.

    `manage.py migrate` and `check --database default` run it.
    """
    if settings.REDIS_URL or "default" not in (databases or ()):
        return []
    alive_since = timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    try:
        alive = ServerProcess.objects.using("default").filter(beat_at__gte=alive_since).count()
    except DatabaseError:  # before the first migration
        return []
    if alive < 2:
        return []
    return [
        Warning(
            f"REDIS_URL is empty, but {alive} processes use this database: they share no events and"
            " limits.",
            hint="Set REDIS_URL, or run one process.",
            id="streaming.W005",
        )
    ]


@register("streaming", Tags.security)
def check_signed_tokens(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the issuers of signed tokens. Shows no key."""
    return [Error(text, hint=hint, id=number) for text, hint, number in settings_problems()]


@register("streaming")
def check_sign_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.LIMIT_SIGN_IN_FAILURES < 0:
        found.append(
            Error(
                f"LIMIT_SIGN_IN_FAILURES is {settings.LIMIT_SIGN_IN_FAILURES}.",
                hint="Write a number of failures, or 0 for no limit.",
                id="streaming.E017",
            )
        )
    if settings.LIMIT_SIGN_IN_SECONDS <= 0:
        found.append(
            Error(
                f"LIMIT_SIGN_IN_SECONDS is {settings.LIMIT_SIGN_IN_SECONDS}.",
                hint="Write a number of seconds above 0.",
                id="streaming.E018",
            )
        )
    return found


@register("streaming", "redis", deploy=True)
def check_eviction(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that Redis does not evict keys, which would drop running answers.

    Connects to Redis, so it runs only among the `deploy` checks.
    """
    if not settings.REDIS_URL or not _is_address(settings.REDIS_URL):
        return []
    # Imported on demand: importing redis is slow, and a single process needs none.
    from .event_log.redis.connections import eviction_policy

    try:
        policy = eviction_policy(settings.REDIS_URL)
    except LogUnavailable as error:
        return [
            Warning(
                f"The eviction policy of Redis can't be read: {error}.",
                hint="Check that Redis runs and that REDIS_URL is correct. Its maxmemory-policy"
                " must be noeviction.",
                id="streaming.W003",
            )
        ]
    if policy == "noeviction":
        return []
    return [
        Error(
            f"The maxmemory-policy of Redis is {policy}: when full, it drops running answers.",
            hint="Run CONFIG SET maxmemory-policy noeviction, or write maxmemory-policy noeviction"
            " in redis.conf.",
            id="streaming.E004",
        )
    ]


def _is_address(url: str) -> bool:
    """Whether redis can parse the URL. An empty one is valid too: it selects the memory log."""
    if not url:
        return True
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return False
    is_path = parts.scheme == "unix" or _DATABASE.fullmatch(parts.path)  # redis-py ignores others
    if not (url.startswith(_REDIS_SCHEMES) and has_port and is_path):
        return False
    from .event_log.redis.connections import is_readable  # on demand, as below

    return is_readable(url)
