"""Who is asking over HTTP: the session's user, as Django's middleware found it."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ..access.visitor import check_authorization


class VisitorAuthentication(BaseAuthentication):
    """Takes over the user of Django's session. CSRF is checked by the endpoints: the anonymous
    session's writes need the token too, which DRF's own class does not ask for."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        check_authorization(request.headers.get("Authorization", ""))
        user = getattr(request._request, "user", None)
        return (user, None) if user is not None and user.is_active else None
