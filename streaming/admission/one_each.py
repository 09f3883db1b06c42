"""Long work of which each owner has one at a time in a process, such as an export or a preview."""

from __future__ import annotations

from collections.abc import Callable

from ..access.visitor import Visitor
from ..errors import Refused

EXPORTS_AT_MOST = 20
DELETIONS_AT_MOST = 20
PREVIEWS_AT_MOST = 8
"""In one process. Exports and deletions share a thread, so more would only take longer; previews
ask models beside the answers of visitors."""

OF_AN_ADDRESS = 5
"""Of these, most turns of one address. Sessions are free, so its owners could take all turns."""

BEGINS_IN_SECONDS = 10.0
"""How long a turn is held for work that has not begun: its client may have disconnected."""

BUSY_RETRY_SECONDS = 5.0
FULL_RETRY_SECONDS = 10.0


class Turn:
    """One owner's turn. Work that ends, in whatever way, gives it back with `end`."""

    __slots__ = ("_drop", "address", "until")

    def __init__(self, until: float, address: str | None, drop: Callable[[Turn], None]) -> None:
        self.until = until
        self.address = address
        self._drop = drop

    def begin(self) -> None:
        """Hold the turn until its end."""
        self.until = float("inf")

    def end(self) -> None:
        """Give the turn back. Idempotent."""
        self._drop(self)


class OneEach:
    """Gives each owner one turn at a time. Belongs to one event loop.

    Args:
        at_most: turns of all owners together.
        now: seconds, monotonic.
    """

    def __init__(self, at_most: int, *, now: Callable[[], float]) -> None:
        self._at_most = at_most
        self._now = now
        self._turns: dict[str, Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def take(self, visitor: Visitor, *, busy: str) -> Turn:
        """Take the turn of a visitor's owner for work that begins soon, or never.

        Args:
            busy: what to say if the owner's turn is taken.

        Raises:
            Refused: `rate_limited`: the owner has one already, or the address has
                `OF_AN_ADDRESS`; `over_capacity`.
        """
        owner, address = visitor.owner, visitor.address
        now = self._now()
        for key in [key for key, turn in self._turns.items() if turn.until <= now]:
            del self._turns[key]
        if owner in self._turns:
            raise Refused("rate_limited", busy, retry_after_seconds=BUSY_RETRY_SECONDS)
        of_address = sum(turn.address == address for turn in self._turns.values())
        if address is not None and of_address >= OF_AN_ADDRESS:
            raise Refused(
                "rate_limited",
                "Others at your address are doing the same. Try again in a moment.",
                retry_after_seconds=FULL_RETRY_SECONDS,
            )
        if len(self._turns) >= self._at_most:
            raise Refused("over_capacity", retry_after_seconds=FULL_RETRY_SECONDS)

        def drop(turn: Turn) -> None:
            if self._turns.get(owner) is turn:
                del self._turns[owner]

        turn = self._turns[owner] = Turn(now + BEGINS_IN_SECONDS, address, drop)
        return turn
