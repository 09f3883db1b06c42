"""The session engine: Django's database sessions, and no rows for anonymous visitors.

A session that holds only an anonymous visitor is not stored. Its key, and thus the cookie, is the
visitor's secret, signed and dated. Anything else in a session (a user, a message) makes it a row
with a new key.

Decision: specs/050-live-ai-interaction/decisions/031-anonymous-sessions-without-a-row.md
"""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.core.signing import BadSignature, Signer
from django.db import connections, router
from django.utils import timezone

SESSION_KEY = "liveai.session"
"""The session entry with a random id. The id owns an anonymous visitor's streams, and names the
session's group. It is not the session's key, which changes at sign-in and must not leak."""

SECRET_KEY = "liveai.secret"
"""The session entry from which an anonymous visitor's id derives. The rows of streams hold the id;
the cookie holds the secret."""

SEPARATOR = "."
"""Part of every signed key, and of no row's key."""


def new_secret() -> str:
    """Return 128 random bits as 22 URL-safe characters."""
    return secrets.token_urlsafe(16)


def id_of(secret: str) -> str:
    """Derive a visitor's id (22 URL-safe characters) from the visitor's secret."""
    digest = hashlib.sha256(f"liveai.visitor {secret}".encode()).digest()
    return urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def is_signed(session_key: str) -> bool:
    """Whether a session key is a signed one, which has no row."""
    return SEPARATOR in session_key


def read_signed(session_key: str) -> dict[str, str] | None:
    """Return the data of a session with a signed key, without a look at the database.

    Returns:
        None: the key is forged, or older than `SESSION_COOKIE_AGE`.
    """
    try:
        secret, signed_at = _unsign(session_key)
    except BadSignature:
        return None
    if time.time() - signed_at > settings.SESSION_COOKIE_AGE:
        return None
    return {SESSION_KEY: id_of(secret), SECRET_KEY: secret}


def ended_key(data: dict[str, str]) -> str:
    """Return the key of the row that ends a session without a row before its time.

    Args:
        data: from `read_signed`.
    """
    return f"ended{SEPARATOR}{data[SESSION_KEY]}"


def session_store() -> type[SessionBase]:
    """Return the class of the configured engine, which may be another one."""
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def is_written(session: SessionBase) -> bool:
    """Whether a save now would write to the database."""
    return session.modified and getattr(session, "needs_row", True)


def ended_among(keys: Sequence[str]) -> set[str]:
    """Find those of the keys of `ended_key` that have a row. Synchronous; in plain SQL, because
    nearly every request of an anonymous visitor asks."""
    model = DatabaseSessions.get_model_class()
    database = connections[router.db_for_read(model)]
    places = ", ".join(["%s"] * len(keys))
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT session_key FROM {model._meta.db_table} WHERE session_key IN ({places})",
            keys,
        )
        return {key for (key,) in cursor.fetchall()}


class SessionStore(DatabaseSessions):
    """Database sessions, without rows for anonymous visitors."""

    # The database's own asynchronous methods would not call the ones below.
    aload = SessionBase.aload
    asave = SessionBase.asave
    adelete = SessionBase.adelete
    acreate = SessionBase.acreate

    @property
    def needs_row(self) -> bool:
        """Whether a save now would write to the database."""
        secret = self.get(SECRET_KEY)  # loads the session, and drops a key that is not valid
        if self.session_key is not None and not is_signed(self.session_key):
            return True
        if not isinstance(secret, str):
            return True
        return dict(self.items()) != {SESSION_KEY: id_of(secret), SECRET_KEY: secret}

    def load(self) -> dict[str, Any]:
        if self.session_key is None or not is_signed(self.session_key):
            return super().load()
        data = read_signed(self.session_key)
        if data is None or ended_among([ended_key(data)]):
            self._session_key = None
            return {}
        return data

    def save(self, must_create: bool = False) -> None:
        if must_create:
            super().save(must_create=True)
        elif not self.needs_row:
            self._session_key = _sign(self[SECRET_KEY])
        elif self.session_key is not None and is_signed(self.session_key):
            self.create()
        else:
            super().save()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is None or not is_signed(key):
            # A row may have begun as a signed cookie, which ends with it.
            self._end_signed(self.get(SECRET_KEY))
            super().delete(key)
        elif data := read_signed(key):
            self._end_signed(data[SECRET_KEY])

    def flush(self) -> None:
        secret = self.get(SECRET_KEY)
        super().flush()
        self._end_signed(secret)

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    def _end_signed(self, secret: object) -> None:
        """End all signed cookies of a visitor's secret, before their time."""
        if isinstance(secret, str):
            lifetime = timedelta(seconds=settings.SESSION_COOKIE_AGE)
            columns = {"session_data": "", "expire_date": timezone.now() + lifetime}
            key = ended_key({SESSION_KEY: id_of(secret)})
            self.model.objects.update_or_create(session_key=key, defaults=columns)


def _sign(secret: str) -> str:
    return _signer().sign(f"{secret}{SEPARATOR}{time.time():.0f}")


@lru_cache(maxsize=8192)  # of valid ones only: open connections are checked every 2 s
def _unsign(session_key: str) -> tuple[str, int]:
    """Return the secret of a signed key, and when it was signed (Unix time).

    Raises:
        BadSignature
    """
    secret, _, signed_at = _signer().unsign(session_key).partition(SEPARATOR)
    return secret, int(signed_at)


def _signer() -> Signer:
    return Signer(sep=SEPARATOR, salt="liveai.session")
