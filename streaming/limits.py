"""Limits on who may start how much. A seam: rates and quotas hook in here, for every transport."""

from __future__ import annotations

from typing import Protocol

from .access import Visitor


class Limits(Protocol):
    async def admit(self, visitor: Visitor) -> None:
        """Count a start that would call a provider.

        Raises:
            Refused: `rate_limited`, `too_many_streams`, `quota_exceeded`.
        """
        ...


class NoLimits:
    """Everybody may start as much as the process can run."""

    async def admit(self, visitor: Visitor) -> None:
        return None
