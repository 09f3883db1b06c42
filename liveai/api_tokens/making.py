"""Makes a user's tokens, up to a number. Synchronous ORM."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from .models import ApiToken

TOKENS_AT_MOST = 20
"""Tokens of one user, expired ones included."""


class NotMade(Exception):
    """A token was not made; the message tells its user why."""


def make_token(user_id: Any, *, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """Make a token, and return it with its secret, which can't be shown again.

    Args:
        days: until it expires; None: never.

    Raises:
        NotMade: the user has too many tokens, or one of this name.
    """
    with transaction.atomic():
        # Of two requests at the same time, the second one sees the first one's token.
        user = get_user_model()._default_manager.select_for_update().get(pk=user_id)
        names = list(ApiToken.objects.filter(user_id=user_id).values_list("name", flat=True))
        if len(names) >= TOKENS_AT_MOST:
            raise NotMade(f"You can have {TOKENS_AT_MOST} tokens. Revoke one first.")
        if name in names:
            raise NotMade("You already have a token with this name.")
        expiry = None if days is None else timedelta(days=days)
        token, secret = ApiToken.objects.create(user=user, name=name, scope=scope, expiry=expiry)
    return token, secret
