"""A line that serves addresses in turns, so that no address waits for all requests of another."""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import Refused
from ..loop.fair_timeout import fair_timeout

RETRY_SECONDS = 10


class Turns:
    """Admits a few requests at a time. Belongs to one event loop at a time.

    Args:
        at_once: admitted requests.
        of_an_address: waiting requests of one address; a further one is refused.
        waiting: all waiting requests. If a further one comes, the last one of the address with the
            most is refused: those of few addresses can't fill the line.
        seconds: how long a request waits before it is refused.
    """

    def __init__(self, *, at_once: int, of_an_address: int, waiting: int, seconds: float) -> None:
        self._free = at_once
        self._of_an_address = of_an_address
        self._at_most = waiting
        self._seconds = seconds
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}  # the next address comes first

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    async def wait(self, address: str) -> None:
        """Wait for a turn; `leave` must follow it. Cancelled, it gives its place back.

        Raises:
            Refused: `rate_limited`: too many requests of this address wait; `over_capacity`: the
                line is full, or the request has waited for too long.
        """
        if len(self._lines.get(address, ())) >= self._of_an_address:
            raise Refused(
                "rate_limited",
                "Too many similar requests of your address are in progress.",
                retry_after_seconds=RETRY_SECONDS,
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, deque()).append(turn)
        self._make_room()
        self._admit()
        try:
            async with fair_timeout(self._seconds):
                await turn
        except BaseException as error:
            if turn in self._lines.get(address, ()):
                self._lines[address].remove(turn)
                if not self._lines[address]:
                    del self._lines[address]
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # its turn came, too late
            if isinstance(error, TimeoutError):
                raise _full() from None
            raise

    def leave(self) -> None:
        """End a turn."""
        self._free += 1
        self._admit()

    def _make_room(self) -> None:
        if len(self) > self._at_most:
            # Of several that are as long, the one whose turn is last.
            longest = max(reversed(self._lines), key=lambda address: len(self._lines[address]))
            line = self._lines[longest]
            line.pop().set_exception(_full())
            if not line:
                del self._lines[longest]

    def _admit(self) -> None:
        while self._free and self._lines:
            address = next(iter(self._lines))
            line = self._lines.pop(address)
            turn = line.popleft()
            if line:
                self._lines[address] = line  # behind all other addresses
            if not turn.done():  # not given up
                turn.set_result(None)
                self._free -= 1


def _full() -> Refused:
    return Refused("over_capacity", retry_after_seconds=RETRY_SECONDS)
