"""Owners and groups fit their columns and Channels, whatever the primary key of a user is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from channels.layers import BaseChannelLayer

from streaming.access.owners import (
    OWNER_CHARS,
    anonymous_owner,
    session_group,
    user_group,
    user_owner,
)
from streaming.access.sessions import id_of, new_secret
from streaming.access.visitor import visitor_of
from streaming.models import CancelIntent, Stream

KEYS: list[Any] = [
    7,
    2**63 - 1,
    UUID(int=2**128 - 1),
    "ada",
    "ada@example.org",
    "Ада Лавлейс",
    "a b/c:d",
    "x" * 90,
    "x" * 94,
    "x" * 95,
    "x" * 500,
    "",
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_an_owner_fits_its_column_and_a_group_is_one_of_channels(key: Any) -> None:
    assert len(user_owner(key)) <= OWNER_CHARS
    BaseChannelLayer().require_valid_group_name(user_group(key))


def test_the_columns_are_as_wide_as_owners_may_be() -> None:
    for model in (Stream, CancelIntent):
        assert model._meta.get_field("owner").max_length == OWNER_CHARS


def test_users_never_share_a_name() -> None:
    assert len({user_owner(key) for key in KEYS}) == len(KEYS)
    assert len({user_group(key) for key in KEYS}) == len(KEYS)


def test_a_hash_is_nobody_elses_key() -> None:
    long = "x" * 500
    _, _, digest = user_owner(long).partition(":")
    for key in (digest, f"hash:{digest}", f"hash.{digest}"):
        assert user_owner(key) != user_owner(long)
        assert user_group(key) != user_group(long)


def test_a_visitor_owns_as_before() -> None:
    assert user_owner(7) == "user:7", "rows of earlier versions stay their owners'"
    session = id_of(new_secret())
    assert len(anonymous_owner(session)) <= OWNER_CHARS
    BaseChannelLayer().require_valid_group_name(session_group(session))


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_a_visitor_is_recognised_by_any_key(key: Any) -> None:
    user = SimpleNamespace(pk=key, is_authenticated=True)
    visitor = visitor_of(user, {"liveai.session": "s"})
    assert (visitor.owner, visitor.user_id) == (user_owner(key), key)
    assert visitor.groups == [session_group("s"), user_group(key)]
