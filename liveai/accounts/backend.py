"""Sign-in by e-mail address. Django's own backend signs in by name."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest


class EmailBackend(AuthenticationBackend):
    """Knows addresses alone: a name that Django's backend refused is not hashed once more."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        if not credentials.get("email"):
            return None
        only_email = {name: credentials.get(name) for name in ("email", "password")}
        return super().authenticate(request, **only_email)
