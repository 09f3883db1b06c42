"""The current switches: the admin's values if set, else the environment's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from blocks.fresh import Fresh

from .errors import Refused
from .models import StreamingSettings

RETRY_SECONDS_AT_MOST = 86_400.0
"""A client's timers need not last longer than a day."""


@dataclass(frozen=True, slots=True)
class Switches:
    enabled: bool
    backend: str  # "sse" or "websocket"
    fallback: bool
    message: str  # empty outside its window
    paused: bool = False  # everything is stopped, and starts are refused
    until: datetime | None = None  # when that is expected to be over; nothing happens then

    def serves(self, transport: str) -> bool:
        """Whether clients may start and watch streams on a transport."""
        return self.fallback or transport == self.backend

    def require_starts(self) -> None:
        """Refuse starts while everything is stopped.

        Raises:
            Refused: `paused`, with the time to wait if it is known.
        """
        if not self.paused:
            return
        seconds = (self.until - timezone.now()).total_seconds() if self.until else 0.0
        raise Refused(
            "paused",
            retry_after_seconds=min(seconds, RETRY_SECONDS_AT_MOST) if seconds > 0 else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what clients are told."""
        names = ("enabled", "backend", "fallback", "message", "paused")
        return {name: getattr(self, name) for name in names}


def read_switches() -> Switches:
    """Read the switches from the database; the environment provides defaults for unset ones."""
    return switches_of(StreamingSettings.objects.first() or StreamingSettings())


def switches_of(row: StreamingSettings) -> Switches:
    """Return the switches in force with this row."""
    now, begin, end = timezone.now(), row.message_from, row.message_until
    is_shown = (begin is None or begin <= now) and (end is None or now < end)
    return Switches(
        enabled=settings.AI_STREAMING_ENABLED if row.enabled is None else row.enabled,
        backend=row.backend or settings.STREAMING_BACKEND,
        fallback=settings.AI_STREAMING_FALLBACK if row.fallback is None else row.fallback,
        message=row.message if is_shown else "",
        paused=row.paused,
        until=end,
    )


_switches = Fresh(read_switches)
current_switches = _switches.get
clear_switches = _switches.clear


def connect_signals() -> None:
    """Clear the cache when this process changes the settings, so that they apply immediately."""
    _switches.follow(StreamingSettings)
