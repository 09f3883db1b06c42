"""API tokens: their form, their lookup, and the end of what they opened.

Source: spec.md, "HTTP" (API tokens) and "WebSocket".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blocks.models import BlockType
from liveai.api_tokens.making import make_token
from liveai.api_tokens.models import ApiToken
from streaming.access import tokens
from streaming.access.rights import Rights, SessionRight, TokenRight, require_right
from streaming.access.tokens import find_token, mark_used, token_in, visitor_of_token
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.api_tokens import ENDS, NO_TOKEN, token_of
from tests.support.streaming.asking import ask, new_request_id
from tests.support.streaming.browser import Browser


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create(username="ada")


def make(user: User, **changes: Any) -> tuple[ApiToken, str]:
    return make_token(user.pk, **{"name": "Script", "scope": "ask", "days": 90, **changes})


# --- the header ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Token abc", "abc"),
        ("Bearer abc", "abc"),
        ("bearer  abc", "abc"),
        ("TOKEN\tabc", "abc"),
        ("  Token x", "x"),
        ("Token", ""),
        ("Bearer ", ""),
        ("Bearer a b", "a b"),
        ("", None),
        (" ", None),
        ("Basic YTpi", None),
        ("Digest username=a", None),
        ("Negotiate abc", None),
        ("Tokens a", None),
        ("a Bearer b", None),
    ],
)
def test_the_token_is_what_follows_one_of_two_schemes(header: str, token: str | None) -> None:
    assert token_in(header) == token


# --- the lookup ------------------------------------------------------------------------------


def test_a_token_is_found_and_stands_for_its_user_without_a_session(ada: User) -> None:
    made, secret = make(ada)
    assert tokens.TOKEN.fullmatch(secret)
    row = find_token(secret)
    assert row == made
    visitor = visitor_of_token(row, client="203.0.113.7")
    assert (visitor.owner, visitor.user_id) == (f"user:{ada.pk}", ada.pk)
    assert (visitor.session_id, visitor.address) == (None, "203.0.113.7")
    assert visitor.counts_as == visitor.owner
    assert visitor.can_ask


@pytest.mark.parametrize("end", ENDS)
def test_one_that_ended_is_not_found(ada: User, end: Any) -> None:
    _, secret = make(ada)
    end()
    with pytest.raises(Refused) as refused:
        find_token(secret)
    assert refused.value.code == "not_authenticated"


def test_only_the_whole_token_is_one(ada: User) -> None:
    _, secret = make(ada)
    last = "0" if secret[-1] != "0" else "1"
    for wrong in (secret[:-1] + last, secret[:-1], secret + "0", secret.upper(), f"{secret} "):
        with pytest.raises(Refused):
            find_token(wrong)


@pytest.mark.parametrize("text", ["", "abc", "liveai_", "\0", "ä" * 71, "x" * 100_000])
def test_what_does_not_look_like_a_token_costs_no_query(db: None, text: str) -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(Refused):
        find_token(text)
    assert not queries.captured_queries


def test_one_that_looks_right_costs_one_query_by_an_index(ada: User) -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(Refused):
        find_token(NO_TOKEN)
    (query,) = queries.captured_queries
    plan = ApiToken.objects.filter(token_key=NO_TOKEN[:15]).explain()
    assert "token_key" in query["sql"]
    assert "INDEX" in plan.upper()


def test_of_two_that_begin_alike_each_is_found(ada: User) -> None:
    made = [make(ada), make(ada, name="Other")]
    ApiToken.objects.update(token_key=NO_TOKEN[:15])
    for token, secret in made:
        alike = NO_TOKEN[:15] + secret[15:]
        ApiToken.objects.filter(pk=token.pk).update(digest=tokens.hash_token(alike))
        assert find_token(alike).name == token.name


def test_the_database_holds_no_secret(ada: User) -> None:
    token, secret = make(ada)
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert all(secret not in str(value) for value in row.values())
    assert secret[20:] not in str(row)


def test_a_token_may_never_expire(ada: User) -> None:
    token, secret = make(ada, days=None)
    assert token.expiry is None
    assert find_token(secret) == token


def test_the_last_use_is_written_once_a_minute(ada: User) -> None:
    _, secret = make(ada)
    mark_used(find_token(secret))
    first = find_token(secret).last_used_at
    assert first is not None
    with CaptureQueriesContext(connection) as queries:
        mark_used(find_token(secret))
    assert len(queries.captured_queries) == 1, "only the lookup"
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    mark_used(find_token(secret))
    assert find_token(secret).last_used_at > first


def test_a_database_that_cannot_be_written_fails_no_request(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = make(ada)
    row = find_token(secret)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("read-only")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", fail)
    mark_used(row)


# --- rights ----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS)
def test_the_right_of_a_token_ends_with_it(ada: User, end: Any) -> None:
    made, _ = make(ada)
    right = TokenRight(made.pk, ada.pk)
    require_right(right)
    end()
    with pytest.raises(Refused) as refused:
        require_right(right)
    assert (refused.value.code, refused.value.message) == (
        "not_authenticated",
        "The token is no longer valid.",
    )
    assert made.pk not in repr(right)


def test_many_rights_of_both_kinds_are_three_queries(ada: User) -> None:
    made, _ = make(ada)
    rights = {TokenRight(made.pk, ada.pk)} | {TokenRight(f"{n}", ada.pk) for n in range(90)}
    sessions = {SessionRight(f"{n:032}", None, None) for n in range(90)}
    with CaptureQueriesContext(connection) as queries:
        ended = Rights().find_ended(rights | sessions)
    assert len(queries.captured_queries) == 3
    assert ended == (rights | sessions) - {TokenRight(made.pk, ada.pk)}


@pytest.mark.parametrize("end", ENDS)
async def test_what_a_token_opened_ends_and_says_nothing_more(
    process: Process, block: BlockType, play: Play, end: Any
) -> None:
    play("The ", {"hang": True})
    program, other = Browser(token=await token_of("ada")), Browser(token=await token_of("eve"))
    socket = await program.connect("/ws/stream?follow=user")
    line = await program.start()
    await line.text("The ")
    others = await other.connect()

    await process.connections.check_rights()
    await others.before_pong()
    await sync_to_async(end)()
    await process.connections.check_rights()

    assert await socket.closed() == 4401
    assert (await line.until("reconnect"))["retry_ms"] > 0
    assert await line.next() is None
    await socket.aclose()
    assert await others.before_pong() == []
    assert len(process.connections) == 1
    answer = await program.call("GET", f"/api/streams/{line.stream_id}/events")
    answer.problem("not_authenticated")
    await other.aclose()


@pytest.mark.parametrize("end", ENDS)
async def test_a_command_is_refused_before_the_tokens_are_checked(
    process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch, end: Any
) -> None:
    monkeypatch.setattr(process.connections._rights, "find_ended", lambda rights: set())
    play("The ", {"hang": True})
    program = Browser(token=await token_of("ada"))
    sockets = [await program.connect() for _ in range(4)]
    stream_id = await ask(sockets[0])
    await sync_to_async(end)()
    frames: list[dict[str, Any]] = [
        {"type": "start", "ref": "r", "block_type": "tale", "prompt": "Why?"},
        {"type": "resume", "ref": "r", "stream_id": stream_id, "after": -1},
        {"type": "cancel", "stream_id": stream_id},
        {"type": "cancel", "request_id": new_request_id()},
    ]
    for socket, frame in zip(sockets, frames, strict=True):
        await socket.say(**frame)
        assert (await socket.until("refused"))["code"] == "not_authenticated"
        assert await socket.closed() == 4401
    assert await Stream.objects.filter(cancel_intent="").acount() == await Stream.objects.acount()
    await program.aclose()
