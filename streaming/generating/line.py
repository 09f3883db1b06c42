"""The places of a process's generations, and the line of those that wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, TypeVar

from ..admission.capacity import Capacity
from ..admission.crowd import USER, Asker, Crowd, asker_of
from ..models import Stream
from .writer import Writer

T = TypeVar("T")

LOOK_SECONDS = 0.5
"""How often a waiting generation looks at its place in line."""

LOOKS_PER_TELLING = 4
"""It tells a new place at once, and the same one each fourth time, for viewers who come later."""


class Ticket:
    """A generation's place, or its position in the line.

    `granted` is done when it has a place; None if it had one at once.
    """

    __slots__ = ("asker", "granted", "owner")

    def __init__(self, owner: str, asker: Asker) -> None:
        self.owner = owner
        self.asker = asker
        self.granted: asyncio.Future[None] | None = None

    @property
    def is_waiting(self) -> bool:
        return self.granted is not None and not self.granted.done()

    @property
    def party(self) -> str:
        """With whom it takes turns: the anonymous visitors of its address, or its owner alone."""
        return self.asker.address or self.owner


class Line:
    """Gives places to generations: at once while some are free, else in turns.

    The turns go round by party: a user, or the anonymous visitors of an address, among whom they
    go round by owner. Whoever comes anew is thus delayed by one stream of each other party at most,
    however many they start. Those whose share of the places is used up (`Capacity`) wait while
    others pass them. Belongs to one event loop. Its size is bounded by those who start
    (`Capacity.check`).
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._placed = Crowd()
        # By party and owner, each with the next one first.
        self._parties: dict[str, dict[str, deque[Ticket]]] = {}
        self._numbers: dict[Ticket, int] = {}  # empty: to be counted anew
        self._is_held = False

    @property
    def is_full(self) -> bool:
        """Whether all places are taken."""
        return len(self._placed) >= self._capacity.max_running

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(len(tickets) for each in self._parties.values() for tickets in each.values())

    def take(self, owner: str, asker: Asker, *, at_once: bool = False) -> Ticket:
        """Take a place, or join the line. Give the ticket back at the end, in either case.

        Args:
            at_once: take a place even if all are taken: the stream had one before its process died.
        """
        ticket = Ticket(owner, asker)
        if at_once or (not self._is_held and self._has_place(asker)):
            self._placed.put(ticket, asker)
        else:
            ticket.granted = asyncio.get_running_loop().create_future()
            self._join(ticket)
        return ticket

    def take_for(self, row: Stream) -> Ticket:
        """Take a place for a stream, or join the line; see `take`."""
        return self.take(
            row.owner_key or row.owner,
            asker_of(row.owner, row.user_id, row.address_key),
            at_once=row.started_at is not None,
        )

    def give_back(self, ticket: Ticket) -> None:
        """Return a place, which goes to the next in line; or leave the line."""
        if ticket.is_waiting:
            return self._leave(ticket)
        self._placed.drop(ticket)
        self._grant()

    def sign_in(self, ticket: Ticket) -> None:
        """Count an anonymous visitor's ticket as one of a user, who has signed in.

        If it waits, it takes turns as its owner's from now on.
        """
        if not ticket.asker.is_anonymous:
            return
        if ticket.is_waiting:
            self._leave(ticket)
            ticket.asker = USER
            self._join(ticket)
        else:
            ticket.asker = USER
            self._placed.put(ticket, USER)
        self._grant()

    def hold(self, is_held: bool) -> None:
        """Keep free places for streams whose process died, which come before all that wait."""
        self._is_held = is_held
        self._grant()

    def number(self, ticket: Ticket) -> int:
        """Return a waiting ticket's position: 1 is next, if it waits for no share."""
        if not self._numbers:
            in_turn = _in_turns(_in_turns(each.values()) for each in self._parties.values())
            self._numbers = {each: number for number, each in enumerate(in_turn, start=1)}
        return self._numbers[ticket]

    def _grant(self) -> None:
        while not self._is_held and (ticket := self._next()):
            self._leave(ticket)
            # The others of its owner come behind the other owners, and those of its party behind
            # the other parties.
            owners = self._parties.pop(ticket.party, {})
            if tickets := owners.pop(ticket.owner, None):
                owners[ticket.owner] = tickets
            if owners:
                self._parties[ticket.party] = owners
            self._placed.put(ticket, ticket.asker)
            assert ticket.granted is not None
            ticket.granted.set_result(None)

    def _next(self) -> Ticket | None:
        for owners in self._parties.values():
            ticket = next(iter(owners.values()))[0]
            if self._has_place(ticket.asker):
                return ticket
        return None

    def _has_place(self, asker: Asker) -> bool:
        return self._capacity.has_place(asker, self._placed.around(asker))

    def _join(self, ticket: Ticket) -> None:
        owners = self._parties.setdefault(ticket.party, {})
        owners.setdefault(ticket.owner, deque()).append(ticket)
        self._numbers.clear()

    def _leave(self, ticket: Ticket) -> None:
        owners = self._parties[ticket.party]
        tickets = owners[ticket.owner]
        tickets.remove(ticket)
        if not tickets:
            del owners[ticket.owner]
        if not owners:
            del self._parties[ticket.party]
        self._numbers.clear()


def _in_turns(queues: Iterable[Iterable[T]]) -> list[T]:
    """Return the first of each queue, then the second of each, and so on."""
    turns = ((turn, each) for queue in queues for turn, each in enumerate(queue))
    return [each for _, each in sorted(turns, key=itemgetter(0))]


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
