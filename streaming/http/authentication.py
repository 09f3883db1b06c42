"""Authentication of HTTP calls: the session's user, as Django's middleware set it."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ..access.visitor import check_authorization


class VisitorAuthentication(BaseAuthentication):
    """Authenticates as the user of Django's session.

    The endpoints check CSRF: writes of an anonymous session need the token too, which DRF's own
    class does not require.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        check_authorization(request.headers.get("Authorization", ""))
        user = getattr(request._request, "user", None)
        return (user, None) if user is not None and user.is_active else None
