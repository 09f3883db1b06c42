"""The current switches: the admin's values if set, else the environment's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from blocks.fresh import Fresh

from .models import StreamingSettings


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


_switches = Fresh(read_switches)
current_switches = _switches.get
clear_switches = _switches.clear


def connect_signals() -> None:
    """Clear the cache when this process changes the settings, so that they apply immediately."""
    _switches.follow(StreamingSettings)
