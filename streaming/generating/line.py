"""The places of a process's generations, and the line of those that wait for one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from ..limits import Capacity
from .writer import Writer

LOOK_SECONDS = 0.5
"""How often a waiting generation looks at its place in line."""

LOOKS_PER_TELLING = 4
"""It tells a new place at once, and the same one each fourth time, for viewers who come later."""


class Ticket:
    """A generation's place, or its position in the line.

    `granted` is done when it has a place; None if it had one at once.
    """

    __slots__ = ("granted", "is_anonymous", "owner")

    def __init__(self, owner: str, *, is_anonymous: bool) -> None:
        self.owner = owner
        self.is_anonymous = is_anonymous
        self.granted: asyncio.Future[None] | None = None

    @property
    def is_waiting(self) -> bool:
        return self.granted is not None and not self.granted.done()


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
        self._is_held = False

    @property
    def is_full(self) -> bool:
        """Whether all places are taken."""
        return self._taken >= self._capacity.max_running

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(map(len, self._owners.values()))

    def take(self, owner: str, *, is_anonymous: bool, at_once: bool = False) -> Ticket:
        """Take a place, or join the line. Give the ticket back at the end, in either case.

        Args:
            at_once: take a place even if all are taken: the stream had one before its process died.
        """
        ticket = Ticket(owner, is_anonymous=is_anonymous)
        if at_once or (not self._is_held and self._has_place(is_anonymous=is_anonymous)):
            self._count(ticket, 1)
        else:
            ticket.granted = asyncio.get_running_loop().create_future()
            self._owners.setdefault(owner, deque()).append(ticket)
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Return a place, which goes to the next in line; or leave the line."""
        if not ticket.is_waiting:
            self._count(ticket, -1)
            return self._grant()
        tickets = self._owners[ticket.owner]
        tickets.remove(ticket)
        if not tickets:
            del self._owners[ticket.owner]

    def sign_in(self, ticket: Ticket) -> None:
        """Count an anonymous visitor's ticket as one of a user, who has signed in."""
        if not ticket.is_anonymous:
            return
        if not ticket.is_waiting:
            self._taken_by_anonymous -= 1
        ticket.is_anonymous = False
        self._grant()

    def hold(self, is_held: bool) -> None:
        """Keep free places for streams whose process died, which come before all that wait."""
        self._is_held = is_held
        self._grant()

    def number(self, ticket: Ticket) -> int:
        """Return a waiting ticket's position: 1 is next, if it waits for no share."""
        before = 0
        turn = self._owners[ticket.owner].index(ticket)
        is_past = False  # of the owners before this one, one more ticket is served
        for owner, tickets in self._owners.items():
            is_past = is_past or owner == ticket.owner
            before += min(len(tickets), turn + (not is_past))
        return before + 1

    def _grant(self) -> None:
        while not self._is_held and (ticket := self._next()):
            tickets = self._owners.pop(ticket.owner)
            tickets.popleft()
            if tickets:
                self._owners[ticket.owner] = tickets  # behind all others
            self._count(ticket, 1)
            assert ticket.granted is not None
            ticket.granted.set_result(None)

    def _next(self) -> Ticket | None:
        for tickets in self._owners.values():
            if self._has_place(is_anonymous=tickets[0].is_anonymous):
                return tickets[0]
        return None

    def _has_place(self, *, is_anonymous: bool) -> bool:
        return self._capacity.has_place(
            taken=self._taken,
            taken_by_anonymous=self._taken_by_anonymous,
            is_anonymous=is_anonymous,
        )

    def _count(self, ticket: Ticket, change: int) -> None:
        self._taken += change
        self._taken_by_anonymous += change * ticket.is_anonymous


async def wait_in_line(
    line: Line,
    ticket: Ticket,
    stopped: asyncio.Future[Any],
    writer: Writer,
    *,
    seconds: float,
    too_late: Callable[[], None],
) -> None:
    """Wait until a ticket is granted or its generation is stopped, and tell viewers the place.

    Args:
        too_late: called after `seconds`; stops the generation.
    """
    assert ticket.granted is not None
    limit = asyncio.get_running_loop().call_later(seconds, too_late)
    told = looks = 0
    try:
        while ticket.is_waiting and not stopped.done():
            place = line.number(ticket)
            if (place != told or looks % LOOKS_PER_TELLING == 0) and writer.tell_place(place):
                told = place
            looks += 1
            await asyncio.wait(
                (ticket.granted, stopped),
                timeout=LOOK_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
    finally:
        limit.cancel()
    if not stopped.done():
        writer.tell_thinking(0)  # its place in line is over
