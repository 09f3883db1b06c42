"""Limits on starts, running streams and tokens: what one subject may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from .errors import Refused

Whose = Literal["owner", "address", "group", "anonymous", "all"]
"""Whom a limit counts: a user or an anonymous session, an address, a group of users together, all
anonymous visitors together, or everybody together."""

SHORT_SHARE = 0.75
"""A process with at least this share of its places taken is short of places."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a subject may use, over all processes. 0: no limit.

    Days and months are those of UTC. Tokens are those of prompts and answers together.
    """

    starts_per_minute: int = 0
    starts_per_hour: int = 0
    running: int = 0
    tokens_per_day: int = 0
    tokens_per_month: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whose limits a start counts towards."""

    whose: Whose
    key: str  # a keyed hash of at most 32 characters, or a name without a secret
    allowance: Allowance
    group_id: int | None = None  # of a group

    @property
    def holds_places(self) -> bool:
        """Whether running streams count: as such, or by the tokens that they may still use."""
        allowed = self.allowance
        return bool(allowed.running or allowed.tokens_per_day or allowed.tokens_per_month)


Subjects = tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The places of one process.

    Args:
        anonymous_share: percent of the places that anonymous visitors may hold together; 0: all.
    """

    max_running: int
    anonymous_share: int = 0

    @classmethod
    def from_settings(cls) -> Capacity:
        return cls(settings.STREAM_MAX_RUNNING, settings.LIMIT_ANONYMOUS_SHARE)

    @property
    def anonymous_places(self) -> int:
        """Places for anonymous visitors; at least 1, so that rounding never locks them out."""
        if self.anonymous_share == 0:
            return self.max_running
        return max(1, self.max_running * self.anonymous_share // 100)

    def check(self, *, ahead: int, anonymous_ahead: int, is_anonymous: bool) -> None:
        """Check that a place is free for one more stream.

        Args:
            ahead: streams that have a place, or are about to take one.
            anonymous_ahead: the streams among them that anonymous visitors started.

        Raises:
            Refused: `over_capacity`.
        """
        if ahead >= self.max_running:
            raise Refused("over_capacity", retry_after_seconds=2)
        if is_anonymous and anonymous_ahead >= self.anonymous_places:
            raise Refused(
                "over_capacity",
                "All places for visitors who are not signed in are taken. "
                "Sign in, or try again in a moment.",
                retry_after_seconds=2,
            )

    def is_short(self, *, running: int, anonymous: int) -> bool:
        """Whether these running streams leave few places for further starts."""
        return running >= SHORT_SHARE * self.max_running or anonymous >= self.anonymous_places
