"""Quick hashes, e-mails in memory, open rates, and two people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from liveai.accounts.mailer import deliver, mailer

PASSWORD = "open sesame street"


@pytest.fixture(autouse=True)
def quick(settings: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mailer, "send", deliver)  # now, not soon
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SIGN_UP = "open"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)
