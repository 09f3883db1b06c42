"""Limits on running streams and on starts, and the texts of their refusals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from .errors import Refused

Whose = Literal["owner", "address"]

RUNNING_RETRY_SECONDS = 5.0
"""An estimate, since an answer's end is unpredictable; most blocks take about this long."""

SHORT_SHARE = 0.75
"""A process with at least this share of its places taken is short of places."""


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many streams may run at once, over all processes. 0: no limit."""

    per_owner: int = 0
    per_address: int = 0

    @classmethod
    def from_settings(cls) -> PlaceLimits:
        return cls(settings.LIMIT_RUNNING_PER_OWNER, settings.LIMIT_RUNNING_PER_ADDRESS)


NO_PLACE_LIMITS = PlaceLimits()


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How many streams may be started within any minute, over all processes. 0: no limit."""

    per_owner: int = 0
    per_address: int = 0

    @classmethod
    def from_settings(cls) -> RateLimits:
        return cls(settings.LIMIT_STARTS_PER_MINUTE, settings.LIMIT_STARTS_PER_MINUTE_PER_ADDRESS)


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


def too_many_running(count: int, whose: Whose) -> Refused:
    """Build the refusal of a start beyond `PlaceLimits`."""
    if whose == "address":
        are = "answer is" if count == 1 else "answers are"
        message = f"{count} {are} running from your network. Wait until one is finished."
    elif count == 1:
        message = "You have 1 answer running. Wait until it is finished, or stop it."
    else:
        message = f"You have {count} answers running. Wait until one is finished, or stop one."
    return Refused("too_many_streams", message, retry_after_seconds=RUNNING_RETRY_SECONDS)


def too_many_starts(limit: int, whose: Whose, *, wait_seconds: float) -> Refused:
    """Build the refusal of a start beyond `RateLimits`.

    Args:
        wait_seconds: time until the oldest counted start is a minute old.
    """
    answers = f"{limit} answer{'' if limit == 1 else 's'}"
    if whose == "address":
        were = "was" if limit == 1 else "were"
        started = f"{answers} {were} started from your network within a minute."
    else:
        started = f"You started {answers} within a minute."
    seconds = max(1, math.ceil(wait_seconds))
    message = f"{started} Please wait {seconds} second{'' if seconds == 1 else 's'}."
    return Refused("rate_limited", message, retry_after_seconds=wait_seconds)
