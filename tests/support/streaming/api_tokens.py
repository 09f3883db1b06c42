"""Users with API tokens, and the ways in which a token stops being valid."""

from __future__ import annotations

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from liveai.api_tokens.making import make_token
from liveai.api_tokens.models import ApiToken

NO_TOKEN = "liveai_" + "0" * 64
"""Has the form of a token, and is none."""


async def token_of(username: str, *, scope: str = "ask", name: str = "Script") -> str:
    """Make a user if there is none, and a token of that user; return its secret."""
    user, _ = await User.objects.aget_or_create(username=username)
    _, secret = await sync_to_async(make_token)(user.pk, name=name, scope=scope, days=90)
    return secret


def _revoke() -> None:
    ApiToken.objects.get(user__username="ada").delete()


def _expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.filter(user__username="ada").update(expiry=past)


def _deactivate() -> None:
    User.objects.filter(username="ada").update(is_active=False)


def _delete_user() -> None:
    User.objects.get(username="ada").delete()


ENDS = [_revoke, _expire, _deactivate, _delete_user]
"""What ends the one token of `ada`. Synchronous."""
