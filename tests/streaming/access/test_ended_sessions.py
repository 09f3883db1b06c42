"""Connections whose session ends: sign-out, deactivation, deletion, a new password, a flush.

Source: spec.md, "WebSocket" (4401) and "SSE".
"""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blocks.models import BlockType
from streaming.access import rights, sessions
from streaming.access.sessions import SessionStore
from streaming.database import store
from streaming.models import Stream
from streaming.process import RIGHTS_SECONDS, Process
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.asking import ask, ask_on_new_socket, new_request_id
from tests.support.streaming.browser import Browser


def request_of(browser: Browser) -> HttpRequest:
    request = HttpRequest()
    request.session = SessionStore(browser.cookies["sessionid"])
    return request


def _sign_out(browser: Browser) -> None:
    logout(request_of(browser))


def _flush(browser: Browser) -> None:
    SessionStore(browser.cookies["sessionid"]).flush()


def _delete(browser: Browser) -> None:
    SessionStore().delete(browser.cookies["sessionid"])


def _delete_row(browser: Browser) -> None:
    Session.objects.filter(pk=browser.cookies["sessionid"]).delete()


def _expire(browser: Browser) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=browser.cookies["sessionid"]).update(expire_date=past)


def _age(browser: Browser) -> None:
    """Let a session without a row grow too old."""
    later = time.time() + settings.SESSION_COOKIE_AGE + 1
    sessions.time = SimpleNamespace(time=lambda: later)  # type: ignore[assignment]


def _deactivate(browser: Browser) -> None:
    User.objects.filter(username="ada").update(is_active=False)


def _delete_user(browser: Browser) -> None:
    User.objects.get(username="ada").delete()


def _new_password(browser: Browser) -> None:
    user = User.objects.get(username="ada")
    user.set_password("another")
    user.save()


def _new_password_by_the_user(browser: Browser) -> None:
    request = request_of(browser)
    user = request.user = User.objects.get(username="ada")
    user.set_password("another")
    user.save()
    update_session_auth_hash(request, user)
    request.session.save()


def _sign_in_as_another(browser: Browser) -> None:
    request = request_of(browser)
    bob, _ = User.objects.get_or_create(username="bob")
    login(request, bob, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()


ENDS = [
    _sign_out,
    _flush,
    _delete,
    _delete_row,
    _expire,
    _deactivate,
    _delete_user,
    _new_password,
    _new_password_by_the_user,
    _sign_in_as_another,
]
ANONYMOUS_ENDS = [_flush, _delete, _age, _sign_in_as_another]
EVERY_END = [("ada", end) for end in ENDS] + [(None, end) for end in ANONYMOUS_ENDS]
EveryEnd = pytest.mark.parametrize(
    ("username", "end"),
    EVERY_END,
    ids=[f"{username or 'anonymous'}-{end.__name__.strip('_')}" for username, end in EVERY_END],
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the sessions' clock right after a test."""
    monkeypatch.setattr(sessions, "time", time)


# --- open connections ------------------------------------------------------------------------


@EveryEnd
async def test_open_connections_end_and_say_nothing_more(
    process: Process, block: BlockType, play: Play, make_browser: Any, username: Any, end: Any
) -> None:
    play("The ", {"hang": True})
    browser, other = await make_browser(username), await make_browser("eve")
    idle = await browser.connect("/ws/stream?follow=none")
    socket = await browser.connect("/ws/stream?follow=user")
    line = await browser.start()
    await line.text("The ")
    others = await other.connect()
    others_stream = await ask(others)

    await process.connections.check_rights()
    assert await idle.before_pong() == []  # nothing has ended yet
    await sync_to_async(end)(browser)
    await process.connections.check_rights()

    assert await idle.closed() == 4401
    assert await socket.closed() == 4401
    assert (await line.until("reconnect"))["retry_ms"] > 0
    assert await line.next() is None
    await socket.aclose()
    await idle.aclose()
    await others.text_of(others_stream, "The ")
    assert await others.before_pong() == []
    assert len(process.connections) == 1


async def test_sessions_are_checked_without_anybody_s_doing_and_within_5_seconds(
    process: Process, make_browser: Any
) -> None:
    assert RIGHTS_SECONDS <= 2.5
    browser = await make_browser("ada")
    socket = await browser.connect()
    await sync_to_async(_sign_out)(browser)
    assert await socket.closed() == 4401


@pytest.mark.parametrize("allows", [True, False])
async def test_the_next_try_over_sse_finds_nothing(
    start_process: StartProcess, block: BlockType, make_browser: Any, allows: bool
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=allows)
    process.providers.use(MODEL, scripted({"hang": True}))
    browser = await make_browser("ada")
    line = await browser.start()
    await sync_to_async(_sign_out)(browser)
    await process.connections.check_rights()
    await line.until("reconnect")
    answer = await browser.call("GET", f"/api/streams/{line.stream_id}/events")
    answer.problem("not_found" if allows else "not_authenticated")


@EveryEnd
async def test_a_command_is_refused_before_the_sessions_are_checked(
    process: Process,
    block: BlockType,
    play: Play,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    username: Any,
    end: Any,
) -> None:
    monkeypatch.setattr(process.connections._rights, "find_ended", lambda rights: set())
    play("The ", {"hang": True})
    browser = await make_browser(username)
    sockets = [await browser.connect("/ws/stream?follow=none") for _ in range(4)]
    stream_id = await ask(sockets[0])
    await sync_to_async(end)(browser)
    frames: list[dict[str, Any]] = [
        {"type": "start", "ref": "r", "block_type": "tale", "prompt": "Why?"},
        {"type": "resume", "ref": "r", "stream_id": stream_id, "after": -1},
        {"type": "cancel", "stream_id": stream_id},
        {"type": "cancel", "request_id": new_request_id()},
    ]
    for socket, frame in zip(sockets, frames, strict=True):
        await socket.say(**frame)
        refused = await socket.until("refused")
        assert refused["code"] == "not_authenticated"
        assert await socket.closed() == 4401
    # Nothing was started or cancelled (a deleted user's streams are deleted).
    left = await Stream.objects.acount()
    assert left == (0 if end is _delete_user else 1)
    if left:
        assert (await Stream.objects.aget()).cancel_intent == ""
        feed = process.hub.find(stream_id)
        assert feed is None or not feed.window.has_ended


async def test_after_sign_out_a_follower_hears_nothing_of_what_the_user_asks_for_later(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    here, there = await make_browser("ada"), await make_browser("ada")
    follower = await here.connect("/ws/stream?follow=user")
    onlooker = await there.connect("/ws/stream?follow=user")
    await sync_to_async(_sign_out)(here)
    await process.connections.check_rights()
    stream_id = (await there.start_unwatched())["stream_id"]
    await onlooker.end_of(stream_id)
    assert await follower.closed() == 4401
    assert follower.tapes == {}


# --- valid sessions -----------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["ada", None])
async def test_a_session_that_holds_is_left_alone(
    process: Process, block: BlockType, play: Play, make_browser: Any, username: Any
) -> None:
    play("Hello")
    browser = await make_browser(username)
    socket = await browser.connect()
    line = await browser.start()
    await line.end()

    def change() -> None:
        session = SessionStore(browser.cookies["sessionid"])
        session["theme"] = "dark"
        session.save()
        User.objects.filter(username="ada").update(last_login=timezone.now(), email="a@b.example")

    await sync_to_async(change)()
    await process.connections.check_rights()
    stream_id = await ask(socket)
    await socket.end_of(stream_id)


async def test_a_newcomer_s_first_stream_and_socket_are_left_alone(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    for way in ("socket", "post"):
        newcomer = Browser()
        if way == "socket":
            socket = newcomer.socket()
            await socket.open()
            await process.connections.check_rights()
            await ask(socket)
        else:
            line = await newcomer.start()
            await process.connections.check_rights()
            await line.text("The ")
        await newcomer.aclose()


async def test_who_is_deactivated_comes_back_as_anybody_and_is_left_alone(
    process: Process, make_browser: Any
) -> None:
    """Their session still names the user, but no longer authenticates."""
    browser = await make_browser("ada")
    await sync_to_async(_deactivate)(browser)
    socket = await browser.connect()
    await process.connections.check_rights()
    assert await socket.before_pong() == []


async def test_a_database_that_is_unreachable_ends_nobody(
    process: Process, block: BlockType, play: Play, make_browser: Any, monkeypatch: Any
) -> None:
    play("The ", {"hang": True})
    browser = await make_browser("ada")
    socket, stream_id = await ask_on_new_socket(browser)

    def fail_unreachable(*args: Any) -> Any:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(rights, "_stored", fail_unreachable)
        with pytest.raises(OperationalError):
            await process.connections.check_rights()
        await socket.say(type="resume", ref="r", stream_id=stream_id, after=-1)
        await socket.until("start", ref="r")
        await socket.say(type="cancel", stream_id=stream_id)
        assert (await socket.end_of(stream_id))["type"] == "cancelled"
        await socket.say(type="start", ref="s", block_type="tale", prompt="Why?")
        assert (await socket.until("refused", ref="s"))["code"] == "store_unavailable"
    await process.connections.check_rights()
    assert await socket.before_pong() == []


# --- the cost -----------------------------------------------------------------------------------


async def test_a_thousand_connections_are_checked_with_a_handful_of_queries(
    transactional_db: None, make_browser: Any, start_process: StartProcess
) -> None:
    await start_process()
    users = [User(username=f"user{number}") for number in range(1000)]
    await User.objects.abulk_create(users)

    def sessions() -> list[rights.Right]:
        made = []
        for user in users[:50]:
            request = HttpRequest()
            request.session = SessionStore()
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            request.session.save()
            key = str(request.session.session_key)
            made.append(rights.SessionRight(key, user.pk, None, str(user.pk)))
        made += [rights.SessionRight(f"{n:032}", None, None) for n in range(950)]
        return made

    def look(held: list[rights.Right]) -> tuple[int, set[rights.Right]]:
        with CaptureQueriesContext(connection) as queries:
            ended = rights.Rights().find_ended(held)
        return len(queries), ended

    held = await sync_to_async(sessions)()
    count, ended = await sync_to_async(look)(held)
    assert count <= 4
    assert ended == set(held[50:])


async def test_with_another_session_engine_it_is_asked_by_key(
    process: Process, make_browser: Any, settings: Any, tmp_path: Any
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.file"
    settings.SESSION_FILE_PATH = str(tmp_path)
    socket = Browser().socket()
    await socket.open()
    await process.connections.check_rights()
    assert await socket.before_pong() == []
    for path in tmp_path.glob("sessionid*"):
        path.unlink()
    await process.connections.check_rights()
    assert await socket.closed() == 4401
    await socket.aclose()


async def test_the_key_of_a_session_stands_in_no_representation(process: Process) -> None:
    assert "secret" not in repr(rights.SessionRight("secret", 1, "secret", "1"))


# --- a user who is deleted during a start ---------------------------------------------------------


@pytest.mark.parametrize("way", ["socket", "http"])
@pytest.mark.parametrize("request_id", [None, "3c518343-42d0-4e6e-b8d4-7ced9239d80b"])
async def test_a_start_of_a_user_who_was_deleted_meanwhile_is_not_authenticated(
    process: Process,
    block: BlockType,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    request_id: str | None,
) -> None:
    browser = await make_browser("ada")
    socket = await browser.connect()
    create = store.create

    def create_too_late(*args: Any, **kwargs: Any) -> Any:
        _delete_user(browser)
        return create(*args, **kwargs)

    monkeypatch.setattr(store, "create", create_too_late)
    asked = {"prompt": "Why?"} | ({"request_id": request_id} if request_id else {})
    if way == "http":
        answer = await browser.post_json("/api/stream/ai-block/tale", asked)
        answer.problem("not_authenticated")
    else:
        await socket.say(type="start", ref="r", block_type="tale", **asked)
        assert (await socket.until("refused", ref="r"))["code"] == "not_authenticated"
        assert await socket.closed() == 4401
    assert await Stream.objects.acount() == 0
    assert len(process.manager._starter._starting) == 0
