"""The current switches: the admin's values if set, else the environment's."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models.signals import post_delete, post_save

from .models import StreamingSettings

FRESH_SECONDS = 0.5
"""Maximum cache age: a change in the admin applies in every process within a second."""


@dataclass(frozen=True, slots=True)
class Switches:
    enabled: bool
    backend: str  # "sse" or "websocket"
    fallback: bool
    message: str

    def serves(self, transport: str) -> bool:
        """Whether clients may start and watch streams on a transport."""
        return self.fallback or transport == self.backend

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_switches() -> Switches:
    """Read the switches from the database; the environment provides defaults for unset ones."""
    row = StreamingSettings.objects.first() or StreamingSettings()
    return Switches(
        enabled=settings.AI_STREAMING_ENABLED if row.enabled is None else row.enabled,
        backend=row.backend or settings.STREAMING_BACKEND,
        fallback=settings.AI_STREAMING_FALLBACK if row.fallback is None else row.fallback,
        message=row.message,
    )


class _Cache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: Switches | None = None
        self._read_at = 0.0

    def get(self) -> Switches:
        with self._lock:
            value, age = self._value, time.monotonic() - self._read_at
        if value is None or age >= FRESH_SECONDS:
            try:
                fresh = read_switches()
            except (DatabaseError, InterfaceError):
                if value is None:
                    raise
                fresh = value  # keep the last values while the database is unreachable
            value = fresh
            with self._lock:
                self._value, self._read_at = value, time.monotonic()
        return value

    def clear(self, **_: Any) -> None:
        with self._lock:
            self._value = None


_cache = _Cache()
current_switches = _cache.get
clear_switches = _cache.clear


def connect_signals() -> None:
    """Clear the cache when this process changes the settings, so that they apply immediately."""
    post_save.connect(clear_switches, sender=StreamingSettings, dispatch_uid="switches")
    post_delete.connect(clear_switches, sender=StreamingSettings, dispatch_uid="switches")
