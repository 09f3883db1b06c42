"""Channels' layer in memory, at a cost that does not grow with the number of sockets."""

from __future__ import annotations

import time
from typing import Any

from channels.layers import InMemoryChannelLayer

CLEAN_SECONDS = 10.0
"""How often expired messages and memberships are looked for; Channels looks at each `receive`."""


class MemoryChannelLayer(InMemoryChannelLayer):
    """The layer of a single process."""

    _cleans_at = 0.0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        members = self.groups.get(group, {})
        if members.keys() - {message.get("origin")}:  # most visitors have no other socket
            await super().group_send(group, message)

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now >= self._cleans_at:
            self._cleans_at = now + CLEAN_SECONDS
            super()._clean_expired()
