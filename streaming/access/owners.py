"""The names of owners and of their channel groups, for any user model.

A primary key may be a number, a UUID or a text. The column of owners holds 80 characters. Channels
allows ASCII letters, digits, `-`, `_` and `.` in the name of a group, and fewer than 100 of them.

Source: spec.md, "Who owns a stream".
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, TypeAlias

UserId: TypeAlias = Any
"""The primary key of a user: a number, a UUID or a text, as the site's user model has it."""

OWNER_CHARS = 80
GROUP_CHARS = 99

_NAME_OF_GROUP = re.compile(r"[A-Za-z0-9_.-]+")


def anonymous_owner(session_id: str) -> str:
    """Return the owner of what a session asks while nobody is signed in to it."""
    return f"anonymous:{session_id}"


def user_owner(user_id: UserId) -> str:
    """Return the owner of what a user asks: `user:<pk>`, or a hash of a pk that is too long."""
    owner = f"user:{user_id}"
    return owner if len(owner) <= OWNER_CHARS else f"user-hash:{_hash(user_id)}"


def outside_owner(issuer: str, subject: str) -> str:
    """Return the owner of what a user of another site asks: `jwt:<issuer>:<sub>`, or a hash.

    The settings have no two issuers whose names make one owner (`signed_tokens/issuers.py`).
    """
    owner = f"jwt:{issuer}:{subject}"
    return (
        owner if len(owner) <= OWNER_CHARS else f"jwt-hash:{_hash(json.dumps([issuer, subject]))}"
    )


def is_outside(owner: str) -> bool:
    """Whether an owner is a user of another site, who has no row here."""
    return owner.startswith(("jwt:", "jwt-hash:"))


OUTSIDE_START = "jwt"
"""The same for queries: no other kind of owner begins so."""

OUTSIDE_RANGE = (OUTSIDE_START, "jwu")
"""The same as a range, the end excluded, in the order of any language of the database."""


def is_anonymous(owner: str, user_id: UserId | None) -> bool:
    """Whether an owner is an anonymous visitor: nobody's user, here or elsewhere."""
    return user_id is None and not is_outside(owner)


def outside_group(owner: str) -> str:
    """Return the group of the sockets of a user of another site."""
    return f"jwt.{_hash(owner)}"


def session_group(session_id: str) -> str:
    """Return the group of a session's sockets."""
    return f"session.{session_id}"


def user_group(user_id: UserId) -> str:
    """Return the group of a user's sockets, in all sessions."""
    name = str(user_id)
    group = f"user.{name}"
    if len(group) <= GROUP_CHARS and _NAME_OF_GROUP.fullmatch(name):
        return group
    return f"user-hash.{_hash(user_id)}"


def _hash(user_id: UserId) -> str:
    return hashlib.sha256(str(user_id).encode()).hexdigest()
