"""The places of a process, its line, and who may hold how many of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from ..errors import Refused
from .crowd import Asker, Taken

SHORT_SHARE = 0.75
"""A process with at least this share of its places taken is short of places."""

RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Capacity:
    """The places of one process.

    Args:
        anonymous_share: percent of the places that anonymous visitors may hold together, and of
            the line; 0: all.
        max_waiting: how many streams may wait in line for a place.
        address_share: percent of those places, and of that line, that the anonymous visitors of
            one address may hold together; 0: all. The rest is free for other addresses.
    """

    max_running: int
    anonymous_share: int = 0
    max_waiting: int = 0
    address_share: int = 0

    @classmethod
    def from_settings(cls, *, has_line: bool = True) -> Capacity:
        """
        Args:
            has_line: False if streams wait for workers instead: then `STREAM_MAX_RUNNING` limits
                the waiting ones.
        """
        return cls(
            settings.STREAM_MAX_RUNNING,
            settings.LIMIT_ANONYMOUS_SHARE,
            settings.STREAM_MAX_WAITING if has_line else 0,
            settings.LIMIT_ANONYMOUS_SHARE_PER_ADDRESS,
        )

    @property
    def anonymous_places(self) -> int:
        """Places for anonymous visitors; at least 1, so that rounding never locks them out."""
        return max(1, _share(self.max_running, self.anonymous_share))

    @property
    def address_places(self) -> int:
        """Places for the anonymous visitors of one address; at least 1."""
        return self._at_address(self.anonymous_places)

    def has_place(self, asker: Asker, taken: Taken) -> bool:
        """Whether a place is free for one more stream."""
        if taken.total >= self.max_running:
            return False
        if asker.is_anonymous and taken.anonymous >= self.anonymous_places:
            return False
        return not asker.address or taken.at_address < self.address_places

    def check(self, asker: Asker, ahead: Taken) -> None:
        """Check that a place, or one in line, is free for one more stream.

        Args:
            ahead: the streams that have a place, wait for one, or are about to do so.

        Raises:
            Refused: `over_capacity`.
        """
        if ahead.total >= self.max_running + self.max_waiting:
            raise Refused("over_capacity", retry_after_seconds=RETRY_SECONDS)
        if not asker.is_anonymous:
            return
        at_most = self.anonymous_places + _share(self.max_waiting, self.anonymous_share)
        if ahead.anonymous >= at_most:
            raise Refused(
                "over_capacity",
                "All places for visitors who are not signed in are taken. "
                "Sign in, or try again in a moment.",
                retry_after_seconds=RETRY_SECONDS,
            )
        if asker.address and ahead.at_address >= self._at_address(at_most):
            raise Refused(
                "over_capacity",
                "Visitors of your network who are not signed in have taken all of their places. "
                "Sign in, or try again in a moment.",
                retry_after_seconds=RETRY_SECONDS,
            )

    def is_short(self, *, running: int, anonymous: int) -> bool:
        """Whether these running streams leave few places for further starts."""
        return running >= SHORT_SHARE * self.max_running or anonymous >= self.anonymous_places

    def _at_address(self, anonymous_places: int) -> int:
        return max(1, _share(anonymous_places, self.address_share))


def _share(count: int, percent: int) -> int:
    return count if percent == 0 else count * percent // 100
