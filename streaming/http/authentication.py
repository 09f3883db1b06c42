"""Authentication of HTTP calls: whom a token stands for, else the user of the session."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ..access.tokens import token_in
from ..access.visitor import Visitor
from ..admission.tokens import Tokens
from ..process import ensure_started
from .request_threads import on_loop
from .token_keys import TOKENS


class VisitorAuthentication(BaseAuthentication):
    """Authenticates by a token; without one, as the user of Django's session.

    With a token, `request.auth` is its visitor, and the session is not looked at. The endpoints
    check CSRF: writes of an anonymous session need the token too, which DRF's own class does not
    require.
    """

    def authenticate(self, request: Request) -> tuple[Any, Visitor | None]:
        """Return the user, who may be Django's anonymous one, and, with a token, the visitor.

        Never None: what an unknown user is would then be the host's choice (UNAUTHENTICATED_USER).

        Raises:
            Refused: `not_authenticated`: the token is not valid, even with a valid session;
                `rate_limited`; `store_unavailable`.
        """
        if (token := token_in(request.META.get("HTTP_AUTHORIZATION", ""))) is not None:
            scope = getattr(request._request, "scope", {})
            tokens: Tokens = scope.get(TOKENS) or on_loop(partial(_prepared, token))
            return tokens.admit(token, client=request.META.get("REMOTE_ADDR"))
        user = getattr(request._request, "user", None)
        return (user if user is not None and user.is_active else AnonymousUser()), None


async def _prepared(token: str) -> Tokens:
    """Do what the layer does, where it is not around Django (in tests)."""
    tokens = (await ensure_started()).tokens
    await tokens.prepare(token)
    return tokens
