"""Two people, one of whom is signed in and has just typed her password."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

PASSWORD = "open sesame street"


@pytest.fixture(autouse=True)
def quick(settings: Any, db: None) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def own(ada: User, client: Client) -> Client:
    client.force_login(ada)
    client.post("/account/reauthenticate/?next=/account/tokens/", {"password": PASSWORD})
    return client
