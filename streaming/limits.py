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
    is_address: bool = False
    """Whether an owner is an address, because the visitor has no session."""

    @property
    def has_few(self) -> bool:
        """Whether only few streams count: those of one owner or address."""
        return self.whose in ("owner", "address")

    @property
    def shown(self) -> Whose:
        """Whose limit a refusal names."""
        return "address" if self.is_address else self.whose

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
        anonymous_share: percent of the places that anonymous visitors may hold together, and of
            the line; 0: all.
        max_waiting: how many streams may wait in line for a place.
    """

    max_running: int
    anonymous_share: int = 0
    max_waiting: int = 0

    @classmethod
    def from_settings(cls, *, has_line: bool = True) -> Capacity:
        """
        Args:
            has_line: False if streams wait for workers instead: then `STREAM_MAX_RUNNING` limits
                the waiting ones.
        """
        max_waiting = settings.STREAM_MAX_WAITING if has_line else 0
        return cls(settings.STREAM_MAX_RUNNING, settings.LIMIT_ANONYMOUS_SHARE, max_waiting)

    @property
    def anonymous_places(self) -> int:
        """Places for anonymous visitors; at least 1, so that rounding never locks them out."""
        return max(1, self._share_of(self.max_running))

    def has_place(self, *, taken: int, taken_by_anonymous: int, is_anonymous: bool) -> bool:
        """Whether a place is free for one more stream."""
        is_share_free = not is_anonymous or taken_by_anonymous < self.anonymous_places
        return taken < self.max_running and is_share_free

    def check(self, *, ahead: int, anonymous_ahead: int, is_anonymous: bool) -> None:
        """Check that a place, or one in line, is free for one more stream.

        Args:
            ahead: streams that have a place, wait for one, or are about to do so.
            anonymous_ahead: the streams among them that anonymous visitors started.

        Raises:
            Refused: `over_capacity`.
        """
        if ahead >= self.max_running + self.max_waiting:
            raise Refused("over_capacity", retry_after_seconds=2)
        anonymous_at_most = self.anonymous_places + self._share_of(self.max_waiting)
        if is_anonymous and anonymous_ahead >= anonymous_at_most:
            raise Refused(
                "over_capacity",
                "All places for visitors who are not signed in are taken. "
                "Sign in, or try again in a moment.",
                retry_after_seconds=2,
            )

    def is_short(self, *, running: int, anonymous: int) -> bool:
        """Whether these running streams leave few places for further starts."""
        return running >= SHORT_SHARE * self.max_running or anonymous >= self.anonymous_places

    def _share_of(self, count: int) -> int:
        return count if self.anonymous_share == 0 else count * self.anonymous_share // 100
