"""Verifies signed tokens: who signed one, whom it stands for, and what it may do.

Source: spec.md, "HTTP" (signed tokens).
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from django.conf import settings

from ...errors import Refused
from .claims import LEEWAY_SECONDS, Grant, grant_of
from .fetching import fetch_document
from .issuers import Issuer, issuers
from .key_set import KEY_ID_CHARS, KeySet

TOKEN_CHARS = 4096
"""The longest token: it stands in a header of every request."""

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""What a token of any bytes may cause. PyJWT lets some of them through: deep nesting, 1e999."""


class Verifier:
    """Verifies the tokens of all issuers, and keeps the keys that issuers show.

    `verify` may be called from any thread. All else belongs to one event loop.

    Args:
        now: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        fetch: Callable[[str], Awaitable[bytes]] = fetch_document,
    ) -> None:
        self._now = now
        self._fetch = fetch
        self._key_sets: dict[str, KeySet] = {}

    def takes(self, token: str) -> bool:
        """Whether a text looks like a signed token. Cheap."""
        return len(token) <= TOKEN_CHARS and _FORM.fullmatch(token) is not None

    async def prepare(self, token: str) -> None:
        """Read the issuer's keys if this token needs keys that are not known. Never raises."""
        if not self.takes(token):
            return
        try:
            issuer, kid, algorithm = _named(token)
        except UNREADABLE:
            return
        if issuer.jwks_url:
            await self._key_set(issuer).prepare(kid, algorithm)

    def verify(self, token: str) -> Grant:
        """Return what a token grants. No query, no network.

        Raises:
            Refused: `not_authenticated`, whatever is wrong with it, in the same words;
                `store_unavailable`: the issuer's keys can't be read.
        """
        try:
            if not self.takes(token):
                raise ValueError("form")
            issuer, kid, algorithm = _named(token)
            key = issuer.shared_key or self._key_set(issuer).find(kid, algorithm)
            if key is not None:
                claims = _claims(token, issuer, key, algorithm)
                return grant_of(
                    claims,
                    issuer=issuer.name,
                    now=time.time(),
                    max_lifetime_seconds=settings.JWT_MAX_LIFETIME_SECONDS,
                )
        except UNREADABLE:
            pass  # the refusal is raised outside, so that it carries nothing of the token
        raise Refused("not_authenticated", "The token is not valid.")

    async def aclose(self) -> None:
        for key_set in self._key_sets.values():
            await key_set.aclose()

    def _key_set(self, issuer: Issuer) -> KeySet:
        url = issuer.jwks_url
        if url not in self._key_sets:
            made = KeySet(url, fetch=self._fetch, now=self._now)
            self._key_sets.setdefault(url, made)  # another thread may have made one
        return self._key_sets[url]


def _named(token: str) -> tuple[Issuer, str, str]:
    """Return what an unverified token names: its issuer, its key and its algorithm.

    Raises:
        UNREADABLE: it names none that is known, or in no form that counts.
    """
    header = jwt.get_unverified_header(token)
    # Only to choose the key: whoever signed it with that key must have written this.
    named = jwt.decode(token, options={"verify_signature": False})["iss"]
    issuer = issuers()[named]
    algorithm, kid = header["alg"], header.get("kid", "")
    if algorithm not in issuer.algorithms or "crit" in header or header.get("b64") is False:
        raise ValueError("algorithm")
    if issuer.jwks_url and not (isinstance(kid, str) and 0 < len(kid) <= KEY_ID_CHARS):
        raise ValueError("kid")
    return issuer, kid, algorithm


def _claims(token: str, issuer: Issuer, key: Any, algorithm: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        audience=issuer.audience,
        issuer=issuer.name,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
