"""Finds users by what staff type: a user name or an e-mail address. Synchronous ORM."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model


def users_named(words: str) -> list[Any]:
    """Return the user with this name, else those with this e-mail address: two at most.

    User models may have no address.
    """
    users = get_user_model()._default_manager
    found = list(users.filter(**{get_user_model().USERNAME_FIELD: words})[:1])
    address = get_user_model().get_email_field_name()
    if not found and any(field.name == address for field in get_user_model()._meta.fields):
        found = list(users.filter(**{f"{address}__iexact": words})[:2])
    return found
