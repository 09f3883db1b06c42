"""The public keys of one issuer: read from its key set (JWKS), kept, and renewed.

`find` may be called from any thread. All else belongs to one event loop, so that a key server which
hangs holds no thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from ...errors import Refused, UnknownKey
from ...loop.tasks import Tasks

logger = logging.getLogger(__name__)

FETCH_SECONDS = 5.0
"""How long one fetch may take, from the first packet to the last."""

INTERVAL_SECONDS = 10.0
"""Least time between the beginnings of two fetches, whoever asks for them: tokens name any key."""

RENEW_SECONDS = 240.0
"""How old keys are when they are read again beside the requests: a busy site never waits."""

FRESH_SECONDS = 300.0
"""How long keys are used without being read again. A key that was withdrawn lasts as long."""

KEPT_SECONDS = 3600.0
"""How long keys are used while the key server can't be reached, or takes too long."""

WAIT_SECONDS = 2.0
WAITING_AT_MOST = 2
"""How long a request waits for a fetch, and how many do: each may hold a thread. Others get 503."""

KEYS_AT_MOST = 50
KEY_ID_CHARS = 200
RSA_BITS = range(2048, 8193)

Keys = dict[tuple[str, str], Any]
"""Public keys by their `kid` and the only algorithm that each is for."""


class KeySet:
    """Keeps the keys of an issuer.

    Args:
        fetch: reads the document, of a bounded size; raises OSError or ValueError.
        now: seconds, monotonic.
    """

    def __init__(
        self, url: str, *, fetch: Callable[[str], Awaitable[bytes]], now: Callable[[], float]
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._now = now
        self._keys: Keys = {}
        self._read_at: float | None = None  # None: never
        self._tried_at: float | None = None
        self._sought: tuple[str, str] | None = None  # the key that the last fetch was begun for
        self._has_failed = False
        self._is_slow = False  # a request has waited in vain for the fetch that runs
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0
        self._tasks = Tasks()

    def find(self, kid: str, algorithm: str) -> Any:
        """Return a public key; None: the issuer has none of that name for the algorithm.

        Raises:
            Refused: `store_unavailable`: the key server can't be reached, so nobody knows.
            UnknownKey: it may be newer than the last fetch, and the interval is not over.
        """
        age = self._age()
        key = self._keys.get((kid, algorithm)) if age < KEPT_SECONDS else None
        is_out_of_reach = self._has_failed or self._is_slow
        if key is not None and (age < FRESH_SECONDS or is_out_of_reach):
            return key
        if age >= FRESH_SECONDS or self._has_failed or self._fetching is not None:
            raise Refused(
                "store_unavailable",
                "The keys that verify this token can't be read.",
                retry_after_seconds=WAIT_SECONDS,
            )
        is_known = any(kid == name for name, _ in self._keys)  # for another algorithm
        is_sought = self._sought == (kid, algorithm)
        if (wait := self._wait_seconds()) > 0 and not (is_known or is_sought):
            raise UnknownKey(
                "store_unavailable",
                "The keys that verify this token were read a moment ago, without its key.",
                retry_after_seconds=wait,
            )
        return None

    async def prepare(self, kid: str, algorithm: str) -> None:
        """Read the key set if this key is unknown or the keys are old; wait if it is needed.

        Never raises. Waits for `WAIT_SECONDS` at most. Safe to cancel: the fetch goes on.
        """
        age = self._age()
        is_usable = (kid, algorithm) in self._keys and age < FRESH_SECONDS
        if is_usable and age < RENEW_SECONDS:
            return
        if self._fetching is None and self._wait_seconds() <= 0:
            self._tried_at, self._sought = self._now(), (kid, algorithm)
            self._fetching = self._tasks.start(self._read())
        if is_usable or self._fetching is None or self._waiting >= WAITING_AT_MOST:
            return
        self._waiting += 1
        try:
            done, _ = await asyncio.wait({self._fetching}, timeout=WAIT_SECONDS)
            self._is_slow = not done
        finally:
            self._waiting -= 1

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _age(self) -> float:
        return math.inf if self._read_at is None else self._now() - self._read_at

    def _wait_seconds(self) -> float:
        """How long until the next fetch may begin."""
        return 0 if self._tried_at is None else self._tried_at + INTERVAL_SECONDS - self._now()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = keys_of(await self._fetch(self._url))
            self._read_at, self._has_failed = self._now(), False
        except Exception as error:  # what a proxy, a library or any document may cause
            self._has_failed = True
            # Neither the address nor the text: an address may hold a secret.
            logger.warning("The keys of an issuer can't be read (%s).", type(error).__name__)
        finally:
            self._fetching, self._is_slow = None, False


def keys_of(document: bytes) -> Keys:
    """Return the keys of a key set that can sign tokens. Others in it, of any form, are left out.

    Raises:
        ValueError: it is no key set.
    """
    found = json.loads(document)
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no key set")
    keys: Keys = {}
    for entry in entries[:KEYS_AT_MOST]:
        if isinstance(entry, dict) and (read := _key(entry)) is not None:
            keys[read[0]] = read[1]
    return keys


def _key(entry: dict[str, Any]) -> tuple[tuple[str, str], Any] | None:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= KEY_ID_CHARS:
        return None
    if entry.get("use", "sig") != "sig" or "d" in entry:  # a private key is nobody's any more
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = PyJWK(entry, algorithm).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    is_fit = (
        key.key_size in RSA_BITS
        if isinstance(key, RSAPublicKey)
        else isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    )
    return ((kid, algorithm), key) if is_fit else None
