"""Admits the holders of tokens, and limits how many invalid ones an address may send.

There are two kinds: API tokens, which are rows of users here, and signed tokens of other sites.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser

from ..access.addresses import countable_address
from ..access.signed_tokens.issuers import issuers
from ..access.tokens import TOKEN, find_token, mark_used, visitor_of_token
from ..access.visitor import Visitor, visitor_of_grant
from ..errors import Refused, UnknownKey
from .bucket import Buckets

if TYPE_CHECKING:
    from ..access.signed_tokens.verifier import Verifier

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
        verifier: of signed tokens; None: one if an issuer is configured.
    """

    def __init__(self, *, now: Callable[[], float], verifier: Verifier | None = None) -> None:
        self._verifier = verifier or _make_verifier(now)
        self._invalid = Buckets(INVALID_PER_SECOND, INVALID_BURST)
        self._lookups = Buckets(LOOKUPS_PER_SECOND, LOOKUPS_BURST)
        self._now = now
        self._lock = threading.Lock()

    async def prepare(self, token: str) -> None:
        """Read the keys that verify a signed token, if they are not known; wait for 2 s at most.

        `admit` on a thread then waits for nothing. Never raises. Belongs to the process's loop.
        """
        if self._verifier is not None:
            await self._verifier.prepare(token)

    async def aclose(self) -> None:
        if self._verifier is not None:
            await self._verifier.aclose()

    def admit(self, token: str, *, client: str | None = None) -> tuple[Any, Visitor]:
        """Return the user of a valid token, and the visitor. Synchronous ORM.

        A signed token has no user here: it is nobody's who is signed in, and needs no query.

        Args:
            client: the address that the request comes from, if known.

        Raises:
            Refused: `not_authenticated`: the token is not valid; `rate_limited`: so were too many
                tokens of this address; `store_unavailable`: nobody knows, because the keys of a
                signed token can't be read, or not yet once more.
        """
        address, signed = countable_address(client), self._verifier_of(token)
        try:
            self._count(address, 0)
        except Refused:
            has_form = TOKEN.fullmatch(token) or signed is not None
            if not (has_form and self._may_look_up(address)):
                raise
        try:
            if signed is not None:
                return AnonymousUser(), visitor_of_grant(signed.verify(token), client=client)
            row = find_token(token)
        except Refused as refused:
            if refused.code == "not_authenticated" or isinstance(refused, UnknownKey):
                self._count(address, 1)
            raise
        mark_used(row)
        return row.user, visitor_of_token(row, client=client)

    def sweep(self) -> None:
        """Drop the counts of addresses without recent invalid tokens."""
        with self._lock:
            self._invalid.sweep(now=self._now())
            self._lookups.sweep(now=self._now())

    def _verifier_of(self, token: str) -> Verifier | None:
        """Return the verifier if this looks like a signed token, and such tokens count here."""
        is_signed = self._verifier is not None and self._verifier.takes(token)
        return self._verifier if is_signed else None

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


def _make_verifier(now: Callable[[], float]) -> Verifier | None:
    if not issuers():
        return None
    # On demand: cryptography takes a while to import, and most sites need none of it.
    from ..access.signed_tokens.verifier import Verifier

    return Verifier(now=now)
