"""A set that keeps only its newest members."""

from __future__ import annotations

_NONE: dict[str, None] = {}  # shared by all that never had a member; nothing is added to it


class Recent:
    """Set of the `at_most` most recently added strings.

    Bounds a connection's memory, even if its client names new ids for ever.
    """

    __slots__ = ("_at_most", "_members")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._members: dict[str, None] = _NONE

    def add(self, member: str) -> None:
        """Add a member, or make it the newest again."""
        if self._members is _NONE:
            self._members = {}
        self._members.pop(member, None)
        self._members[member] = None
        if len(self._members) > self._at_most:
            del self._members[next(iter(self._members))]

    def discard(self, member: str) -> None:
        self._members.pop(member, None)

    def pop(self) -> str:
        """Remove and return the oldest member.

        Raises:
            StopIteration: the set is empty.
        """
        member = next(iter(self._members))
        del self._members[member]
        return member

    def members(self) -> frozenset[str]:
        return frozenset(self._members)

    def __contains__(self, member: str) -> bool:
        return member in self._members

    def __len__(self) -> int:
        return len(self._members)
