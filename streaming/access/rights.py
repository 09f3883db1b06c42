"""Check that the sessions and tokens behind open connections are still valid. Synchronous ORM.

A connection outlives its handshake by minutes. Meanwhile its user may sign out, revoke the token,
be deactivated or deleted, or change the password. Django checks this once per request; this module
checks all connections of a process together.

Decision: specs/050-live-ai-interaction/decisions/017-open-connections-are-looked-at-together.md
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.utils import timezone

from ..errors import Refused
from .owners import UserId
from .sessions import SESSION_KEY, ended_among, ended_key, is_signed, read_signed, session_store
from .signed_in import has_password_of
from .staff import is_staff_with
from .tokens import unexpired
from .visitor import Visitor

T = TypeVar("T")

BATCH = 500
"""Most keys in one query."""


@dataclass(frozen=True, slots=True)
class SessionRight:
    """The session and user that authorised a connection."""

    session_key: str = field(repr=False)  # a secret
    user_id: UserId | None
    session_id: str | None = field(repr=False)
    signed_in_as: str | None = None
    """The user named in the session. Without a `user_id`, that user may no longer sign in."""
    needs: tuple[str, ...] = ()
    """Permissions of which the user must have one, as staff, so that the right lasts."""


@dataclass(frozen=True, slots=True)
class TokenRight:
    """The API token and its user that authorised a connection."""

    digest: str = field(repr=False)
    user_id: UserId


@dataclass(frozen=True, slots=True)
class SignedRight:
    """The signed token that authorised a connection. It ends by itself, and cannot be revoked."""

    owner: str
    expires_at: float  # seconds since 1970

    @property
    def has_ended(self) -> bool:
        return time.time() >= self.expires_at


Right: TypeAlias = SessionRight | TokenRight | SignedRight
"""What authorised a connection."""


def right_of(
    visitor: Visitor, session: SessionBase | None, *, needs: tuple[str, ...] = ()
) -> Right | None:
    """Return the right of a visitor; None if it can't end, because the session was never saved.

    Args:
        session: None for visitors with a token.
        needs: permissions of staff, if the right ends with the last of them.
    """
    if visitor.grant is not None:
        return SignedRight(visitor.owner, visitor.grant.expires_at)
    if visitor.token_digest is not None:
        return TokenRight(visitor.token_digest, visitor.user_id)
    key = None if session is None else session.session_key
    if session is None or key is None:
        return None
    return SessionRight(key, visitor.user_id, visitor.session_id, session.get(USER_KEY), needs)


class Rights:
    """Checks rights in batches, with two queries per 500. Belongs to one thread.

    One query reads the users, one the sessions or the tokens. Where there are none, none is made.
    Django reads the permissions of staff who watch in the admin, with two more for each of them.

    All methods raise the database's errors. A failed check proves nothing, so no right ends by it.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[str, Mapping[str, Any]]] = {}
        """Session data by key, stored and decoded; a cache, since verifying signatures is slow."""

    def find_ended(self, rights: Collection[Right]) -> set[Right]:
        """Return the rights that are no longer valid."""
        stored = [right for right in rights if not isinstance(right, SignedRight)]
        users = _users({right.user_id for right in stored if right.user_id is not None})
        by_session = [right for right in rights if isinstance(right, SessionRight)]
        by_token = [right for right in rights if isinstance(right, TokenRight)]
        sessions = self._sessions({right.session_key for right in by_session})
        tokens = _tokens({right.digest for right in by_token})
        ended = expired(rights) | {
            right
            for right in by_session
            if not _holds(right, sessions.get(right.session_key), users.get(right.user_id))
        }
        return ended | {
            right
            for right in by_token
            if right.digest not in tokens or not _is_active(users.get(right.user_id))
        }

    def _sessions(self, keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
        store = session_store()
        if not issubclass(store, DatabaseSessions):
            self._read = {}
            return {key: data for key in keys if (data := store(key).load())}
        read: dict[str, tuple[str, Mapping[str, Any]]] = {}
        reader = store()
        for key, stored in _stored(store, [key for key in keys if not is_signed(key)]):
            known = self._read.get(key)
            if known is None or known[0] != stored:
                known = (stored, reader.decode(stored))
            read[key] = known
        self._read = read
        signed = _signed([key for key in keys if is_signed(key)])
        return {**signed, **{key: data for key, (_, data) in read.items()}}


def expired(rights: Collection[Right]) -> set[Right]:
    """Return the rights that have ended by themselves. No query, so no outage delays it."""
    return {right for right in rights if isinstance(right, SignedRight) and right.has_ended}


def require_right(right: Right | None) -> None:
    """Check that a right is still valid; None always is.

    Raises:
        Refused: `not_authenticated`: the right has ended.
    """
    if right is not None and Rights().find_ended([right]):
        is_session = isinstance(right, SessionRight)
        words = "The session has ended." if is_session else "The token is no longer valid."
        raise Refused("not_authenticated", words)


def _holds(right: SessionRight, session: Mapping[str, Any] | None, user: Any) -> bool:
    if session is None:
        return False
    if session.get(USER_KEY) != right.signed_in_as:
        return False
    if right.user_id is None:
        return bool(session.get(SESSION_KEY, right.session_id) == right.session_id)
    if not (_is_active(user) and has_password_of(session, user)):
        return False
    return not right.needs or is_staff_with(user, right.needs)


def _is_active(user: Any) -> bool:
    return user is not None and user.is_active


def _stored(store: type[DatabaseSessions], keys: Collection[str]) -> Iterator[tuple[str, str]]:
    sessions = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    for batch in _batches(keys):
        rows = sessions.filter(session_key__in=batch)
        yield from rows.values_list("session_key", "session_data")


def _signed(keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
    valid = {key: data for key in keys if (data := read_signed(key))}
    by_row = {ended_key(data): key for key, data in valid.items()}
    ended = {key for batch in _batches(by_row) for key in ended_among(batch)}
    return {key: valid[key] for row, key in by_row.items() if row not in ended}


def _tokens(digests: Collection[str]) -> set[str]:
    return {digest for batch in _batches(digests) for digest in unexpired(batch)}


def _users(ids: Collection[UserId]) -> dict[UserId | None, Any]:
    users: dict[UserId | None, Any] = {}
    manager = get_user_model()._default_manager
    for batch in _batches(ids):
        users |= manager.in_bulk(batch)
    return users


def _batches(members: Collection[T]) -> Iterator[list[T]]:
    listed = list(members)
    for begin in range(0, len(listed), BATCH):
        yield listed[begin : begin + BATCH]
