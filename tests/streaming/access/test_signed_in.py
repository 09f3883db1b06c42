"""The user of a session is found under each accepted key, and the session keeps its own key."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from streaming.access.sessions import SessionStore
from streaming.access.signed_in import SignedInUser

BACKEND = "django.contrib.auth.backends.ModelBackend"


def request_with(session: SessionStore) -> Any:
    request: Any = HttpRequest()
    request.session = session
    SignedInUser(lambda _: HttpResponse()).process_request(request)
    return request


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="before")


@pytest.fixture
def key(ada: User, settings: Any) -> str:
    settings.AUTHENTICATION_BACKENDS = [BACKEND]
    request = request_with(SessionStore())
    login(request, ada, backend=BACKEND)
    request.session.save()
    return str(request.session.session_key)


def test_an_earlier_secret_key_changes_nothing_in_the_session(
    ada: User, key: str, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    request = request_with(SessionStore(key))
    assert request.user == ada
    assert async_to_sync(request.auser)() == ada
    assert (request.session.session_key, request.session.modified) == (key, False)
    settings.SECRET_KEY_FALLBACKS = []
    assert request_with(SessionStore(key)).user.is_anonymous
    assert not SessionStore(key).load()


def test_another_password_ends_the_session(ada: User, key: str) -> None:
    ada.set_password("after")
    ada.save()
    request = request_with(SessionStore(key))
    assert async_to_sync(request.auser)().is_anonymous and request.user.is_anonymous
    assert not SessionStore(key).load()


@pytest.mark.parametrize("backends", [[], ["some.Other"]])
def test_a_backend_that_is_no_longer_used_signs_nobody_in(
    key: str, settings: Any, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    assert request_with(SessionStore(key)).user.is_anonymous
