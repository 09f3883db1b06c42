"""API tokens: from the token that a client sends to the visitor it stands for. Synchronous ORM.

The rows are of knox's swappable model (`KNOX_TOKEN_MODEL`), so this package knows no app of the
site. The model has `scope` and `last_used_at`, too.

Source: spec.md, "HTTP" (API tokens).
Decision: specs/050-live-ai-interaction/decisions/036-api-tokens-by-knox.md
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import get_token_model
from knox.settings import CONSTANTS

from ..errors import Refused
from .addresses import countable_address
from .owners import user_owner
from .visitor import Visitor

READ, ASK = "read", "ask"
"""The scopes: see answers; start, stop and delete them, too."""

TOKEN_SCHEMES = {"token", "bearer"}
"""Schemes of the `Authorization` header; compared case-insensitively."""

USED_SECONDS = 60
"""A token's last use is written once in this time at most."""

TOKEN = re.compile(r"liveai_[0-9a-f]{64}")
"""How the tokens of `REST_KNOX` look. Any other text is refused without a query."""


def token_in(header: str) -> str | None:
    """Return the token of an `Authorization` header.

    Returns:
        None: another scheme, which is meant for a proxy, or none. An empty text: the scheme alone.
    """
    scheme, _, rest = header.strip().replace("\t", " ").partition(" ")
    return rest.strip() if scheme.lower() in TOKEN_SCHEMES else None


def find_token(token: str) -> Any:
    """Return the row of a valid token, with its user.

    An index finds the row by the token's beginning; the hash of the rest is compared in constant
    time. The hash is a plain one, since a token is random and long.

    Raises:
        Refused: `not_authenticated`, whatever is wrong: it is unknown, expired or revoked, or its
            user may not sign in any more.
    """
    if TOKEN.fullmatch(token):
        digest = hash_token(token)
        key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        for row in get_token_model().objects.filter(token_key=key).select_related("user"):
            if compare_digest(digest, row.digest) and _is_valid(row):
                return row
    raise Refused("not_authenticated", "The token is not valid.")


def visitor_of_token(row: Any, *, client: str | None = None) -> Visitor:
    """Return the visitor that a token stands for: its user, without a session.

    Args:
        row: from `find_token`.
        client: the address that the request comes from, if known.
    """
    owner, address = user_owner(row.user_id), countable_address(client)
    return Visitor(owner, row.user_id, None, address, token_digest=row.pk, can_ask=row.scope == ASK)


def mark_used(row: Any) -> None:
    """Store when a token was used last. A database that can't be written fails no request."""
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at >= timedelta(seconds=USED_SECONDS):
        with suppress(DatabaseError):
            get_token_model().objects.filter(pk=row.pk).update(last_used_at=now)


def unexpired(digests: Collection[str]) -> set[str]:
    """Return those of the tokens, by their digests, that exist and have not expired."""
    model = get_token_model()
    rows = model.objects.filter(_unexpired_at(timezone.now()), pk__in=digests)
    return set(rows.values_list("pk", flat=True))


def _is_valid(row: Any) -> bool:
    return (row.expiry is None or row.expiry > timezone.now()) and row.user.is_active


def _unexpired_at(now: datetime) -> Q:
    return Q(expiry__isnull=True) | Q(expiry__gt=now)
