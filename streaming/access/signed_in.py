"""Find the user of a session by Django's rules, except that this never gives a session a new key.

Django's own `get_user` does so wherever a session was signed in under an earlier
`DJANGO_SECRET_KEY`. While a key changes, processes with the old and with the new one share the
sessions: of a visitor's simultaneous requests all but one would come with a key that has just been
deleted. The session keeps the hash of the earlier key, because processes of both kinds accept it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, get_user_model, load_backend
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject


def user_of(session: SessionBase) -> Any:
    """Return the user who is signed in, or Django's anonymous user. Synchronous ORM.

    A session that was signed in with another password is flushed.
    """
    user = _named_in(session)
    if user is not None and not has_password_of(session, user):
        session.flush()
        user = None
    return user or AnonymousUser()


def has_password_of(session: Mapping[str, Any] | SessionBase, user: Any) -> bool:
    """Whether a session matches the user's current password, under any of the secret keys."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    stored = session.get(HASH_SESSION_KEY) or ""
    hashes = [user.get_session_auth_hash()]
    if hasattr(user, "get_session_auth_fallback_hash"):
        hashes += user.get_session_auth_fallback_hash()
    return any(constant_time_compare(stored, each) for each in hashes)


class SignedInUser(AuthenticationMiddleware):
    """Sets `request.user` and `request.auser`, looked up when they are first used."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        user: Any = SimpleLazyObject(lambda: user_of(request.session))
        request.user = user

        async def auser() -> Any:
            await sync_to_async(bool)(user)  # looks the user up
            return user

        request.auser = auser


def _named_in(session: SessionBase) -> Any:
    try:
        user_id = get_user_model()._meta.pk.to_python(session[USER_KEY])
        backend_path = session[BACKEND_SESSION_KEY]
    except KeyError:
        return None
    if backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    return load_backend(backend_path).get_user(user_id)
