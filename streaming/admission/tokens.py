"""Admits the holders of API tokens, and limits how many invalid tokens an address may send."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..access.addresses import countable_address
from ..access.tokens import TOKEN, find_token, mark_used, visitor_of_token
from ..access.visitor import Visitor
from ..errors import Refused
from .bucket import Buckets

INVALID_PER_SECOND = 1.0
INVALID_BURST = 60.0
"""Invalid tokens of one address, in one process. A program with an old token that calls once a
second stays below. Beyond, further ones are refused; valid ones of the address are still found."""

LOOKUPS_PER_SECOND = 20.0
LOOKUPS_BURST = 20.0
"""Lookups for one address whose invalid tokens are beyond the limit."""


class Tokens:
    """Looks tokens up for all transports. Its methods may be called from any thread.

    Nobody can guess a token: the limit bounds the cost of trying.

    Args:
        now: seconds, monotonic.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._invalid = Buckets(INVALID_PER_SECOND, INVALID_BURST)
        self._lookups = Buckets(LOOKUPS_PER_SECOND, LOOKUPS_BURST)
        self._now = now
        self._lock = threading.Lock()

    def admit(self, token: str, *, client: str | None = None) -> tuple[Any, Visitor]:
        """Return the user of a valid token, and the visitor. Synchronous ORM.

        Args:
            client: the address that the request comes from, if known.

        Raises:
            Refused: `not_authenticated`: the token is not valid; `rate_limited`: so were too many
                tokens of this address.
        """
        address = countable_address(client)
        try:
            self._count(address, 0)
        except Refused:
            if not (TOKEN.fullmatch(token) and self._may_look_up(address)):
                raise
        try:
            row = find_token(token)
        except Refused:
            self._count(address, 1)
            raise
        mark_used(row)
        return row.user, visitor_of_token(row, client=client)

    def sweep(self) -> None:
        """Drop the counts of addresses without recent invalid tokens."""
        with self._lock:
            self._invalid.sweep(now=self._now())
            self._lookups.sweep(now=self._now())

    def _may_look_up(self, address: str | None) -> bool:
        with self._lock:
            now = self._now()
            return address is None or self._lookups.of(address, now=now).take(1, now=now)

    def _count(self, address: str | None, invalid: float) -> None:
        if address is None:  # a proxy's own, which many visitors share
            return
        with self._lock:
            now = self._now()
            bucket = self._invalid.of(address, now=now)
            if not bucket.take(invalid, now=now):
                wait = 1 + bucket.wait_seconds()
                raise Refused(
                    "rate_limited",
                    "Too many tokens from your address were not valid.",
                    retry_after_seconds=wait,
                )
