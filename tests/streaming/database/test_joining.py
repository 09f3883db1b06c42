"""What was asked before a sign-in becomes the user's: rows, running streams, cancel intents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from blocks.models import BlockType
from streaming.access.owners import anonymous_owner, user_owner
from streaming.access.sessions import read_signed
from streaming.admission.subjects import key_of
from streaming.database import joining, store
from streaming.database.joining import join
from streaming.models import CancelIntent, Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.asking import ask_on_new_socket, new_request_id
from tests.support.streaming.browser import Browser
from tests.support.streaming.viewing import reached

PASSWORD = "open sesame street"
SESSION = "session-of-a-visitor"

MakeBrowser = Callable[..., Awaitable[Browser]]


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


def add(owner: str, stream_id: str, **fields: Any) -> Stream:
    values = {"mark": 1, "created_at": timezone.now(), "prompt": "Why?", **fields}
    return Stream.objects.create(id=stream_id, owner=owner, **values)


def owners() -> dict[str, str]:
    return dict(Stream.objects.values_list("id", "owner"))


async def sign_in(browser: Browser, login: str = "ada", path: str = "/account/login/") -> None:
    field = "username" if path.startswith("/admin") else "login"
    form = urlencode({field: login, "password": PASSWORD}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.call("POST", path, body=form, headers=kind)
    assert answer.status == 302, answer


async def session_of(browser: Browser) -> str:
    data = read_signed(browser.cookies["sessionid"])
    assert data is not None, "an anonymous session without a row"
    return data["liveai.session"]


# --- rows ---------------------------------------------------------------------------------


def test_all_that_the_session_asked_is_the_users_and_nothing_else(ada: User) -> None:
    bob = User.objects.create_user("bob")
    mine = anonymous_owner(SESSION)
    add(mine, "ended", ended_at=timezone.now(), status="complete")
    add(mine, "running")
    add(anonymous_owner("somebody-else"), "foreign")
    add(user_owner(bob.pk), "of-bob", user=bob)
    assert join(SESSION, ada.pk) == 2
    assert owners() == {
        "ended": user_owner(ada.pk),
        "running": user_owner(ada.pk),
        "foreign": anonymous_owner("somebody-else"),
        "of-bob": user_owner(bob.pk),
    }
    assert set(Stream.objects.filter(user=ada).values_list("id", flat=True)) == {"ended", "running"}


def test_joining_again_changes_nothing(ada: User) -> None:
    add(anonymous_owner(SESSION), "one")
    assert [join(SESSION, ada.pk), join(SESSION, ada.pk)] == [1, 0]


def test_what_one_user_took_along_no_other_takes(ada: User) -> None:
    bob = User.objects.create_user("bob")
    add(anonymous_owner(SESSION), "one")
    join(SESSION, ada.pk)
    assert join(SESSION, bob.pk) == 0
    assert owners() == {"one": user_owner(ada.pk)}


def test_running_streams_count_for_the_user_and_their_address_as_before(ada: User) -> None:
    mine = anonymous_owner(SESSION)
    add(mine, "by-session", owner_key=key_of(mine), address_key="a")
    add(mine, "by-address", owner_key="a", address_key="a")
    join(SESSION, ada.pk)
    found = {row.id: (row.owner_key, row.address_key) for row in Stream.objects.all()}
    assert found == {"by-session": (key_of(user_owner(ada.pk)), "a"), "by-address": ("a", "a")}


def test_a_request_id_that_the_user_has_used_too_stays_with_the_users_stream(ada: User) -> None:
    shared, other = new_request_id(), new_request_id()
    add(user_owner(ada.pk), "of-ada", user=ada, request_id=shared)
    add(anonymous_owner(SESSION), "same", request_id=shared)
    add(anonymous_owner(SESSION), "other", request_id=other)
    join(SESSION, ada.pk)
    found = dict(Stream.objects.values_list("id", "request_id"))
    assert found == {"of-ada": shared, "same": None, "other": other}
    assert set(owners().values()) == {user_owner(ada.pk)}


def test_cancel_intents_join_too(ada: User) -> None:
    shared, other = new_request_id(), new_request_id()
    add(anonymous_owner(SESSION), "one")
    for owner, request_id in [
        (anonymous_owner(SESSION), shared),
        (anonymous_owner(SESSION), other),
        (user_owner(ada.pk), shared),
        (anonymous_owner("somebody-else"), other),
    ]:
        store.add_intent(owner, request_id)
    join(SESSION, ada.pk)
    found = sorted(CancelIntent.objects.values_list("owner", "request_id"))
    assert found == sorted(
        [
            (user_owner(ada.pk), shared),
            (user_owner(ada.pk), other),
            (anonymous_owner("somebody-else"), other),
        ]
    )


def test_a_race_with_the_users_own_start_leaves_the_rows_for_later(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collide(before: str, owner: str) -> None:
        raise IntegrityError

    add(anonymous_owner(SESSION), "one")
    with monkeypatch.context() as patched:
        patched.setattr(joining, "_join_intents", collide)
        assert join(SESSION, ada.pk) == 0
    assert owners() == {"one": anonymous_owner(SESSION)}
    assert join(SESSION, ada.pk) == 1


# --- a whole sign-in ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/account/login/", "/admin/login/"])
async def test_a_sign_in_takes_along_what_was_asked(
    ada: User, browser: Browser, block: BlockType, play: Play, path: str
) -> None:
    await sync_to_async(User.objects.update)(is_staff=True)
    play("The sky.")
    reader = await browser.start()
    await reader.end()
    await sign_in(browser, path=path)
    assert (await browser.resource(reader.stream_id))["text"] == "The sky."
    history = (await browser.call("GET", "/api/streams")).json()
    assert [row["stream_id"] for row in history["results"]] == [reader.stream_id]


async def test_a_running_stream_goes_on_for_the_user_and_can_be_stopped(
    ada: User, browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", {"hang": True})
    started = await browser.start_unwatched()
    stream_id = started["stream_id"]
    feed = process.hub.find(stream_id)
    assert feed is not None
    await reached(feed, 0)
    await sign_in(browser)
    reader = await browser.watch(stream_id)
    assert (await reader.until("chunk"))["token"] == "The "
    assert (await browser.cancel(stream_id))["status"] == "cancelled"
    assert (await reader.end())["type"] == "cancelled"


async def test_the_socket_of_the_old_session_closes_and_the_next_one_goes_on(
    ada: User, browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", {"hang": True})
    socket, stream_id = await ask_on_new_socket(browser)
    await socket.until("chunk")
    await sign_in(browser)
    await process.connections.check_rights()
    assert await socket.closed() == 4401
    again = browser.socket()
    hello = await again.open()
    assert [active["stream_id"] for active in hello["active"]] == [stream_id]
    await again.say(type="resume", stream_id=stream_id, after=-1, ref="r")
    assert (await again.until("chunk"))["token"] == "The "


async def test_the_users_other_devices_are_shown_what_joins(
    ada: User, browser: Browser, make_browser: MakeBrowser, block: BlockType, play: Play
) -> None:
    other = await make_browser("ada")
    socket = await other.connect("/ws/stream?follow=user")
    play("The ", {"hang": True})
    started = await browser.start_unwatched()
    await sign_in(browser)
    assert (await socket.until("start"))["stream_id"] == started["stream_id"]
    assert (await socket.until("chunk"))["token"] == "The "


async def test_signing_out_leaves_it_with_the_user(
    ada: User, browser: Browser, block: BlockType, play: Play, make_browser: MakeBrowser
) -> None:
    play("The ", {"hang": True})
    stream_id = (await browser.start_unwatched())["stream_id"]
    await sign_in(browser)
    await browser.call("POST", "/account/logout/")
    (await browser.call("GET", f"/api/streams/{stream_id}")).problem("not_found")
    elsewhere = await make_browser("ada")
    assert (await elsewhere.resource(stream_id))["status"] == "running"


async def test_the_next_who_signs_in_gets_nothing_of_it(
    ada: User, browser: Browser, block: BlockType, play: Play
) -> None:
    await sync_to_async(User.objects.create_user)("bob", password=PASSWORD)
    play("The sky.")
    reader = await browser.start()
    await reader.end()
    await sign_in(browser)
    await browser.call("POST", "/account/logout/")
    await browser.call("GET", "/api/config")
    await sign_in(browser, "bob")
    (await browser.call("GET", f"/api/streams/{reader.stream_id}")).problem("not_found")
    assert (await browser.call("GET", "/api/streams")).json()["results"] == []


async def test_a_copy_of_the_old_cookie_opens_nothing(
    ada: User, browser: Browser, block: BlockType, play: Play, make_browser: MakeBrowser
) -> None:
    play("The ", {"hang": True})
    stream_id = (await browser.start_unwatched())["stream_id"]
    thief = await make_browser()
    thief.cookies["sessionid"] = browser.cookies["sessionid"]
    assert (await thief.resource(stream_id))["status"] == "running"
    await sign_in(browser)
    (await thief.call("GET", f"/api/streams/{stream_id}")).problem("not_found")


async def test_a_start_that_the_sign_in_has_overtaken_joins_when_the_history_is_read(
    ada: User, browser: Browser, block: BlockType, play: Play
) -> None:
    session_id = await session_of(browser)
    await sign_in(browser)
    late = await sync_to_async(add)(anonymous_owner(session_id), "A" * 22, block_type="tale")
    history = (await browser.call("GET", "/api/streams")).json()
    assert [row["stream_id"] for row in history["results"]] == [late.id]
    assert (await browser.call("GET", f"/api/streams/{late.id}")).status == 200


async def test_the_generating_process_no_longer_counts_it_as_anonymous(
    ada: User, browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", {"hang": True})
    stream_id = (await browser.start_unwatched())["stream_id"]
    assert process.generations.crowd.anonymous == 1
    await sign_in(browser)
    async with asyncio.timeout(20):
        await process.generations.look_for_owners()
    assert process.generations.crowd.anonymous == 0
    generation = process.generations.find(stream_id)
    assert generation is not None
    assert (generation.row.owner, generation.row.user_id) == (user_owner(ada.pk), ada.pk)
