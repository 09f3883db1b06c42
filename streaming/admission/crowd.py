"""Those who hold places in a process, or are about to: all, the anonymous, and these by address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from ..access.owners import is_anonymous


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a place.

    Args:
        address: the key of an anonymous visitor's address. Empty for users, and where addresses
            don't count, such as a proxy's own.
    """

    is_anonymous: bool = False
    address: str = ""


USER = Asker()


def asker_of(owner: str, user_id: Any, address_key: str) -> Asker:
    """Return who asks, by the columns of a stream's row."""
    if is_anonymous(owner, user_id):
        return Asker(is_anonymous=True, address=address_key)
    return USER


@dataclass(frozen=True, slots=True)
class Taken:
    """How many hold places: all, the anonymous among them, and those of one address among these."""

    total: int = 0
    anonymous: int = 0
    at_address: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.total + other.total,
            self.anonymous + other.anonymous,
            self.at_address + other.at_address,
        )


class Crowd:
    """Counts askers, each under a key of its own."""

    def __init__(self) -> None:
        self._askers: dict[Hashable, Asker] = {}
        self._at: Counter[str] = Counter()  # the anonymous, by address
        self.anonymous = 0

    def __len__(self) -> int:
        return len(self._askers)

    def put(self, key: Hashable, asker: Asker) -> None:
        """Count an asker, in place of the one that this key had."""
        self.drop(key)
        self._askers[key] = asker
        self._count(asker, 1)

    def drop(self, key: Hashable) -> None:
        """Count an asker no longer. Idempotent."""
        asker = self._askers.pop(key, None)
        if asker is not None:
            self._count(asker, -1)

    def around(self, asker: Asker) -> Taken:
        """Return how many count, and how many of them at this asker's address."""
        return Taken(len(self), self.anonymous, self._at.get(asker.address, 0))

    def _count(self, asker: Asker, change: int) -> None:
        if not asker.is_anonymous:
            return
        self.anonymous += change
        self._at[asker.address] += change
        if not self._at[asker.address]:
            del self._at[asker.address]
