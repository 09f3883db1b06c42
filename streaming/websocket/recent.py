"""A set that keeps its newest members alone."""

from __future__ import annotations


class Recent:
    """The newest `at_most` of the texts that were added.

    Bounds what a connection remembers of a client that never stops to name new things.
    """

    __slots__ = ("_at_most", "_members")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._members: dict[str, None] = {}

    def add(self, member: str) -> None:
        """Add it, or make it the newest again."""
        self._members.pop(member, None)
        self._members[member] = None
        if len(self._members) > self._at_most:
            del self._members[next(iter(self._members))]

    def discard(self, member: str) -> None:
        self._members.pop(member, None)

    def pop(self) -> str:
        """Take the oldest out.

        Raises:
            StopIteration: there is none.
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
