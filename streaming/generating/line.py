"""The places of a process's generations, and the line of those that wait for one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

from ..limits import Capacity


class Ticket:
    """A generation's position in the line.

    `granted` is done when it has a place.
    """

    __slots__ = ("granted", "is_anonymous", "owner")

    def __init__(self, owner: str, *, is_anonymous: bool) -> None:
        self.owner = owner
        self.is_anonymous = is_anonymous
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Line:
    """Gives places to generations: at once while some are free, else to one owner after the other.

    An owner who starts many streams thus delays nobody else by more than one of them. Anonymous
    visitors wait when they hold their share of the places, while signed-in users pass them. Belongs
    to one event loop. Its size is bounded by those who start (`Capacity.check`).
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._taken = self._taken_by_anonymous = 0
        self._owners: OrderedDict[str, deque[Ticket]] = OrderedDict()  # the next one first

    def take(self, owner: str, *, is_anonymous: bool, at_once: bool = False) -> Ticket | None:
        """Take a place, or join the line.

        Args:
            at_once: take a place even if all are taken: the stream had one on another process.

        Returns:
            None: it has a place. Otherwise its ticket; either wait until it is granted, or `leave`.
        """
        if at_once or self._has_place(is_anonymous=is_anonymous):
            self._count(1, is_anonymous=is_anonymous)
            return None
        ticket = Ticket(owner, is_anonymous=is_anonymous)
        self._owners.setdefault(owner, deque()).append(ticket)
        return ticket

    def give_back(self, *, is_anonymous: bool) -> None:
        """Return a place, which goes to the next in line.

        Args:
            is_anonymous: as it was taken, although its owner may have signed in since.
        """
        self._count(-1, is_anonymous=is_anonymous)
        while ticket := self._next():
            self._grant(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Give up a ticket, or the place that it was granted."""
        if ticket.granted.done():
            self.give_back(is_anonymous=ticket.is_anonymous)
            return
        tickets = self._owners[ticket.owner]
        tickets.remove(ticket)
        if not tickets:
            del self._owners[ticket.owner]

    def number(self, ticket: Ticket) -> int:
        """Return a waiting ticket's position: 1 is next, if it waits for no share."""
        before = 0
        turn = self._owners[ticket.owner].index(ticket)
        is_past = False  # of the owners before this one, one more ticket is served
        for owner, tickets in self._owners.items():
            is_past = is_past or owner == ticket.owner
            before += min(len(tickets), turn + (not is_past))
        return before + 1

    def _next(self) -> Ticket | None:
        for tickets in self._owners.values():
            if self._has_place(is_anonymous=tickets[0].is_anonymous):
                return tickets[0]
        return None

    def _grant(self, ticket: Ticket) -> None:
        tickets = self._owners.pop(ticket.owner)
        tickets.popleft()
        if tickets:
            self._owners[ticket.owner] = tickets  # behind all others
        self._count(1, is_anonymous=ticket.is_anonymous)
        ticket.granted.set_result(None)

    def _has_place(self, *, is_anonymous: bool) -> bool:
        return self._capacity.has_place(
            taken=self._taken,
            taken_by_anonymous=self._taken_by_anonymous,
            is_anonymous=is_anonymous,
        )

    def _count(self, change: int, *, is_anonymous: bool) -> None:
        self._taken += change
        self._taken_by_anonymous += change * is_anonymous
