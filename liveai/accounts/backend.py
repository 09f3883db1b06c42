"""Sign-in by e-mail address. Django's own backend signs in by name."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email
from django.http import HttpRequest

USERS_OF_AN_ADDRESS = 2
"""How many users an e-mail address stands for. A sign-up must not reveal that an address has an
account, so anybody may make many with one address, which nobody has confirmed."""


class EmailBackend(AuthenticationBackend):
    """Knows addresses alone: a name that Django's backend refused is not hashed once more."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        if not credentials.get("email"):
            return None
        only_email = {name: credentials.get(name) for name in ("email", "password")}
        return super().authenticate(request, **only_email)

    def _authenticate_by_email(self, email: str, password: str) -> Any:
        """Hash the password for at most two users: each hash takes a third of a second."""
        found = filter_users_by_email(email, prefer_verified=True, for_login=True)
        users = users_of_address(found)
        return next((user for user in users if self._check_password(user, password)), None)


def users_of_address(found: list[Any]) -> list[Any]:
    """Return those of the users with an e-mail address whom it stands for.

    Args:
        found: allauth has left out the others already if one of them has confirmed the address.

    Returns:
        At most two, the oldest first.
    """
    return sorted(found, key=lambda user: user.pk)[:USERS_OF_AN_ADDRESS]
