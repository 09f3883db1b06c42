"""All open connections of this process: limits their number, their time and their requests."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Protocol

from uvicorn.server import ServerState

from ..access.addresses import countable_address
from ..admission.bucket import Buckets
from .descriptors import are_exhausted
from .rare_log import RareLog

logger = logging.getLogger(__name__)

REQUESTS_BURST_SECONDS = 0.25
"""Requests that an address may send at once, as seconds of its rate.

The loop begins all of them before it serves anybody else, so they must be few.
"""


class Checked(Protocol):
    def check(self, now: float) -> None:
        """Enforce the connection's time limits. Called about once a second."""


class Roster:
    """Counts connections by their transports. A limit of 0 means no limit.

    Args:
        at_most: limit for this process.
        per_address: limit for one peer (addresses.py). Trusted proxies are not counted.
        requests_per_second: of one peer, on average. Further ones wait.
    """

    def __init__(
        self,
        *,
        at_most: int,
        per_address: int,
        requests_per_second: float = 0,
        now: Callable[[], float],
    ) -> None:
        self.now = now
        self.rare_log = RareLog(logger, now=now)
        self._at_most = at_most
        self._per_address = per_address
        self._entries: dict[Hashable, tuple[Checked, str | None]] = {}
        self._by_address: Counter[str] = Counter()
        self._refused: dict[Hashable, Checked] = {}
        self._requests = Buckets(requests_per_second, REQUESTS_BURST_SECONDS * requests_per_second)

    def enter(self, transport: Hashable, protocol: Checked, peer: str | None) -> bool:
        """Count a new connection.

        Returns:
            False if it exceeds a limit; it is then not counted.
        """
        address = countable_address(peer)
        if self._at_most and len(self._entries) >= self._at_most:
            self.rare_log.warn(
                "Connections are refused: %d are open (LIMIT_CONNECTIONS).", self._at_most
            )
            return False
        if address and 0 < self._per_address <= self._by_address[address]:
            self.rare_log.warn(
                "Connections are refused: one address holds %d (LIMIT_CONNECTIONS_PER_ADDRESS).",
                self._per_address,
            )
            return False
        if address:
            self._by_address[address] += 1
        self._entries[transport] = (protocol, address)
        return True

    def charge_request(self, transport: Hashable, cost: float = 1.0) -> float:
        """Count a request, and return the seconds that it must wait.

        Args:
            cost: of something that costs as much as this many requests.

        The requests of one address thus leave time for those of others. A request waits on its
        connection, so the number of connections bounds how many wait.
        """
        _, address = self._entries.get(transport, (None, None))
        if address is None:
            return 0.0
        now = self.now()
        return self._requests.of(address, now=now).reserve(cost, now=now)

    def add_refused(self, transport: Hashable, protocol: Checked, *, at_most: int) -> bool:
        """Enforce the time limits of a refused connection too.

        Returns:
            False if there are already `at_most` of them.
        """
        if len(self._refused) >= at_most:
            return False
        self._refused[transport] = protocol
        return True

    def hand_on(self, transport: Hashable, protocol: Checked) -> None:
        """Record that a connection now has another protocol."""
        if entry := self._entries.get(transport):
            self._entries[transport] = (protocol, entry[1])

    def leave(self, transport: Hashable) -> None:
        """Stop counting a connection. Idempotent."""
        self._refused.pop(transport, None)
        _, address = self._entries.pop(transport, (None, None))
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def __len__(self) -> int:
        return len(self._entries)

    def sweep(self) -> None:
        """Enforce the time limits of every connection. Called about once a second."""
        now = self.now()
        self._requests.sweep(now=now)
        for protocol in [*(entry[0] for entry in self._entries.values()), *self._refused.values()]:
            try:
                protocol.check(now)
            except Exception:
                logger.exception("Checking a connection failed.")
        if are_exhausted():
            self.rare_log.warn("There are no file descriptors left (RLIMIT_NOFILE).")


class BoundedState(ServerState):
    """State shared by all protocols of a server: uvicorn's, and the roster."""

    def __init__(self, roster: Roster) -> None:
        super().__init__()
        self.roster = roster
