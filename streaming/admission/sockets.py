"""Limits on the open sockets of one owner and one address."""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict

from ..access.visitor import Visitor
from ..event_log.base import LogError, SharedPlaces


class SocketPlaces:
    """Counts the sockets of this process and, with a `shared` count, of all processes.

    While the shared count is unreachable, each process enforces the limits on its own sockets.

    Args:
        per_owner, per_address: maximum number of sockets; 0: no bound.
        process_id: distinguishes this process's places from those of others.
    """

    def __init__(
        self,
        *,
        per_owner: int,
        per_address: int,
        process_id: str = "",
        shared: SharedPlaces | None = None,
    ) -> None:
        self._per_owner = per_owner
        self._per_address = per_address
        self._process_id = process_id
        self._shared = shared
        self._numbers = itertools.count()
        self._taken: defaultdict[str, set[str]] = defaultdict(set)

    async def take(self, visitor: Visitor) -> Place | None:
        """Take a place for one more socket of the visitor; None if the limit is reached.

        The place is held until it is given back.
        """
        bounds = self._bounds(visitor)
        if any(len(self._taken.get(key, ())) >= at_most for key, at_most in bounds.items()):
            return None
        place = Place(self._taken, list(bounds), f"{self._process_id}:{next(self._numbers)}")
        if self._shared is not None:
            place.shared = self._shared
            has_place = False
            try:
                has_place = await self._has_shared(self._shared, bounds, place.member)
            finally:
                if not has_place:
                    await place.give_back()
            if not has_place:
                return None
        return place

    def _bounds(self, visitor: Visitor) -> dict[str, int]:
        bounds = {}
        if visitor.counts_as is not None and self._per_owner > 0:
            bounds[f"of {visitor.counts_as}"] = self._per_owner
        if visitor.address is not None and self._per_address > 0:
            bounds[f"at {visitor.address}"] = self._per_address
        return bounds

    async def _has_shared(self, shared: SharedPlaces, bounds: dict[str, int], member: str) -> bool:
        try:
            for key, at_most in bounds.items():
                if not await shared.take(key, at_most, member):
                    return False
        except LogError:
            pass  # `keep` registers the place when Redis is back
        return True

    async def keep(self) -> None:
        """Renew the places that this process holds in the shared count."""
        if self._shared is not None and self._taken:
            with contextlib.suppress(LogError):
                await self._shared.keep({key: list(each) for key, each in self._taken.items()})

    def __len__(self) -> int:
        """Return the number of keys with open sockets."""
        return len(self._taken)


class Place:
    """The place of one open socket."""

    def __init__(self, taken: dict[str, set[str]], keys: list[str], member: str) -> None:
        self.member = member
        self.shared: SharedPlaces | None = None
        self._taken = taken
        self._keys = keys
        for key in keys:
            taken[key].add(member)

    async def give_back(self) -> None:
        """Release the place. Idempotent. If cancelled, the place in the shared count expires."""
        keys, self._keys = self._keys, []
        for key in keys:
            self._taken[key].discard(self.member)
            if not self._taken[key]:
                del self._taken[key]
        if self.shared is not None:
            with contextlib.suppress(LogError):
                for key in keys:
                    await self.shared.give_back(key, self.member)
