"""What the claims of a verified token grant. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..owners import outside_owner

LEEWAY_SECONDS = 30
"""How far the clocks of two machines may differ."""

SUBJECT_CHARS = 255
PLAN_CHARS = 150  # as the name of a Django group
BLOCKS_AT_MOST = 100

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,60}")


class InvalidClaims(ValueError):
    """A claim is missing, or has a form that nothing can be read from."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who a token stands for, and what it may do, until when."""

    owner: str
    expires_at: float
    """Seconds since 1970, with the leeway: what the token opened ends then."""
    can_ask: bool = True
    plan: str | None = None
    """The name of the group whose limits apply; None: those of users."""
    blocks: frozenset[str] | None = None
    """The slugs of the blocks that may be asked; None: all."""

    def may_ask(self, slug: str) -> bool:
        return self.blocks is None or slug in self.blocks


def grant_of(
    claims: Mapping[str, Any], *, issuer: str, now: float, max_lifetime_seconds: float
) -> Grant:
    """Read the claims of a token whose signature, issuer, audience and times are verified.

    Args:
        now: seconds since 1970.

    Raises:
        InvalidClaims
    """
    subject = _text(claims, "sub", SUBJECT_CHARS)
    if subject is None:
        raise InvalidClaims("sub is missing")
    expires_at = float(claims["exp"])
    begins_at = min(float(claims.get("iat", now)), now)
    if not expires_at - begins_at <= max_lifetime_seconds + LEEWAY_SECONDS:
        raise InvalidClaims("it lives too long")
    return Grant(
        outside_owner(issuer, subject),
        expires_at + LEEWAY_SECONDS,
        _can_ask(claims.get("scope", "ask")),
        _text(claims, "plan", PLAN_CHARS),
        _blocks(claims.get("blocks")),
    )


def _text(claims: Mapping[str, Any], name: str, chars: int) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    # No character that a database refuses (NUL, half a pair), or that nobody can see in the admin.
    if not (isinstance(value, str) and 0 < len(value) <= chars and value.isprintable()):
        raise InvalidClaims(name)
    return value


def _can_ask(scope: Any) -> bool:
    if scope not in ("read", "ask"):
        raise InvalidClaims("scope")
    return bool(scope == "ask")


def _blocks(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > BLOCKS_AT_MOST:
        raise InvalidClaims("blocks")
    if not all(isinstance(slug, str) and _SLUG.fullmatch(slug) for slug in value):
        raise InvalidClaims("blocks")
    return frozenset(value)
