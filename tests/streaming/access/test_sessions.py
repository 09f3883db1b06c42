"""The session engine: anonymous visitors without a row, everybody else in the database.

Source: specs/050-live-ai-interaction/decisions/031-anonymous-sessions-without-a-row.md
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user, login, logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from streaming.access import sessions
from streaming.access.sessions import SECRET_KEY, SESSION_KEY, SessionStore, id_of, new_secret
from streaming.access.visitor import keep_session, visitor_of

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def anonymous_use(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True


def anonymous() -> SessionStore:
    """Return the saved session of a new anonymous visitor."""
    session = SessionStore()
    keep_session(visitor_of(None, session), session)
    session.save()
    return session


def again(session: SessionStore) -> SessionStore:
    """Return the session that the same cookie gives in the next request."""
    return SessionStore(session.session_key)


def key_of(session: SessionStore) -> str:
    return str(session.session_key)


def test_an_anonymous_session_is_known_again_and_has_no_row() -> None:
    session = anonymous()
    assert not session.needs_row
    assert again(session).load() == dict(session.items())
    assert visitor_of(None, again(session)).has_session
    assert visitor_of(None, again(session)) == visitor_of(None, session)
    assert Session.objects.count() == 0


def test_a_new_one_costs_no_query_and_a_known_one_costs_one(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        session = anonymous()
    with django_assert_num_queries(1):
        visitor_of(None, again(session))


def test_the_cookie_is_short_and_does_not_show_the_visitor_s_id() -> None:
    session = anonymous()
    assert len(key_of(session)) < 100
    assert session[SESSION_KEY] not in key_of(session)
    assert session[SESSION_KEY] == id_of(session[SECRET_KEY])


@pytest.mark.parametrize(
    "forge",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: new_secret() + key[22:],
        lambda key: key.replace(".", ".9", 1),
        lambda key: key.rpartition(".")[0],
        lambda key: f"{key}.{key}",
        lambda key: "." * 99,
        lambda key: f"ended.{'a' * 22}",
        lambda key: "\u00e4.\u00e4.\u00e4",
    ],
)
def test_a_forged_key_is_nobody(forge: Any) -> None:
    session = SessionStore(forge(key_of(anonymous())))
    assert session.load() == {}
    assert session.session_key is None


def test_one_signed_with_another_secret_key_is_nobody_but_with_an_earlier_one_it_holds(
    settings: Any,
) -> None:
    session = anonymous()
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    sessions._unsign.cache_clear()
    assert again(session).load() == {}
    settings.SECRET_KEY_FALLBACKS = [before]
    assert again(session).load() != {}


def test_it_ends_with_the_age_of_a_cookie(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    session, now = anonymous(), time.time()
    for age, is_known in ((-10, True), (10, False)):
        later = now + settings.SESSION_COOKIE_AGE + age
        monkeypatch.setattr(sessions, "time", SimpleNamespace(time=lambda at=later: at))
        assert bool(again(session).load()) is is_known


def test_a_flush_ends_it_in_every_copy_and_only_it() -> None:
    session, other = anonymous(), anonymous()
    again(session).flush()
    assert again(session).load() == {}
    assert again(other).load() != {}
    assert Session.objects.get().session_key == f"ended.{session[SESSION_KEY]}"
    again(session).flush()  # twice is no error


def test_a_forged_key_ends_nobody_and_makes_no_row() -> None:
    SessionStore().delete(new_secret() + key_of(anonymous())[22:])
    SessionStore().delete("x" * 32)
    assert Session.objects.count() == 0


def test_anything_else_in_it_makes_it_a_row_with_a_key_of_its_own() -> None:
    session = anonymous()
    changed = again(session)
    changed["theme"] = "dark"
    changed.save()
    assert key_of(changed) != key_of(session)
    assert "." not in key_of(changed)
    assert DatabaseSessions(key_of(changed))["theme"] == "dark"
    assert visitor_of(None, again(changed)) == visitor_of(None, session)
    changed["theme"] = "light"
    changed.save()
    assert again(changed)["theme"] == "light"
    assert Session.objects.count() == 1


@pytest.mark.parametrize("data", [{}, {"a": 1}, {SESSION_KEY: "x"}, {SECRET_KEY: "x"}])
def test_what_is_no_visitor_of_ours_gets_a_row(data: dict[str, Any]) -> None:
    session = SessionStore()
    session.update(data)
    session.save()
    assert again(session).load() == data
    assert Session.objects.count() == 1


def test_the_rows_of_the_previous_version_still_hold() -> None:
    before = DatabaseSessions()
    before[SESSION_KEY] = "i" * 22
    before.save()
    session = SessionStore(before.session_key)
    assert visitor_of(None, session).owner == f"anonymous:{'i' * 22}"
    session["a"] = 1
    session.save()
    assert session.session_key == before.session_key


# --- sign-in and sign-out ---------------------------------------------------------------------


def request_with(session: SessionStore) -> HttpRequest:
    request = HttpRequest()
    request.session = session
    return request


def test_a_sign_in_changes_the_key_and_ends_the_anonymous_session() -> None:
    """Whoever planted the cookie of an anonymous session must not be signed in by it."""
    session = anonymous()
    request = request_with(again(session))
    ada = User.objects.create(username="ada")
    login(request, ada, backend=BACKEND)
    request.session.save()
    assert "." not in str(request.session.session_key)
    assert get_user(request_with(again(request.session))) == ada  # type: ignore[arg-type]
    assert again(session).load() == {}


@pytest.mark.parametrize(
    "end",
    [
        lambda request, user: login(request, user, backend=BACKEND),
        lambda request, _: logout(request),
    ],
)
def test_a_sign_in_or_out_ends_the_cookie_from_which_a_row_began(end: Any) -> None:
    session = anonymous()
    request = request_with(again(session))
    request.session["theme"] = "dark"
    request.session.save()
    assert again(session).load() != {}  # another request may be under way with it
    request = request_with(again(request.session))  # type: ignore[arg-type]
    end(request, User.objects.create(username="ada"))
    assert again(session).load() == {}


def test_a_sign_out_leaves_nothing_of_the_session() -> None:
    request = request_with(anonymous())
    login(request, User.objects.create(username="ada"), backend=BACKEND)
    request.session.save()
    key = request.session.session_key
    logout(request)
    assert request.session.session_key is None
    assert SessionStore(key).load() == {}
    assert request.session.is_empty()


def test_a_cycled_key_keeps_the_visitor() -> None:
    session = anonymous()
    cycled = again(session)
    cycled.cycle_key()
    assert visitor_of(None, again(cycled)) == visitor_of(None, session)
    assert again(session).load() == {}


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_methods_do_the_same() -> None:
    async def use() -> None:
        session = SessionStore()
        keep_session(visitor_of(None, session), session)
        await session.asave()
        assert await again(session).aload() == dict(session.items())
        changed = again(session)
        await changed.aset("a", 1)
        await changed.asave()
        assert await again(changed).aget("a") == 1
        await again(session).aflush()
        assert await again(session).aload() == {}

    async_to_sync(use)()


def test_sessions_that_ended_before_their_time_are_looked_up_together() -> None:
    from django.db import connection

    from streaming.access.rights import Rights, SessionRight

    kept = [anonymous() for _ in range(200)]
    gone = anonymous()
    again(gone).flush()
    held = [SessionRight(key_of(s), None, s[SESSION_KEY]) for s in [*kept, gone]]
    with CaptureQueriesContext(connection) as queries:
        ended = Rights().find_ended(held)
    assert ended == {held[-1]}
    assert len(queries) == 1
