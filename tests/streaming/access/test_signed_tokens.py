"""Users of other sites on all transports: what they own, their limits, and the end of a token."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import OperationalError, connection
from django.utils import timezone

from blocks.models import BlockType
from streaming.access import rights
from streaming.access.rights import Rights
from streaming.admission.crowd import Asker, Taken
from streaming.admission.subjects import clear_rules, key_of
from streaming.admission.tokens import INVALID_BURST
from streaming.admission.usage import running, use_of
from streaming.database.store import count_waiting
from streaming.limits import Allowance, Subject
from streaming.models import Limit, Stream, TokenUse
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.signed_tokens import (
    ISSUER,
    OTHER_ISSUER,
    SETTINGS,
    signed,
    signed_by_other,
)
from tests.support.streaming.admin import put
from tests.support.streaming.api_tokens import token_of
from tests.support.streaming.asking import ask
from tests.support.streaming.browser import START, Browser

HANGS = ("The ", {"hang": True})
LISTED = "https://app.example"


@pytest_asyncio.fixture
async def process(start_process: StartProcess) -> Process:
    """Trusts two issuers. Nobody is let in without a token."""
    return await start_process(**SETTINGS, AI_ALLOW_ANONYMOUS=False, CORS_ALLOWED_ORIGINS=[LISTED])


def host(subject: str = "ada", **changes: Any) -> Browser:
    return Browser(token=signed(subject, **changes))


# --- asking ----------------------------------------------------------------------------------


async def test_a_user_of_another_site_asks_on_every_transport_and_owns_the_answers(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello")
    ada = host()
    follower = await ada.connect("/ws/stream?follow=user")
    by_sse = await ada.start()
    await by_sse.end()
    by_post = (await ada.start_unwatched())["stream_id"]
    by_socket = await ask(socket := await ada.connect())
    await socket.end_of(by_socket)
    for stream_id in (by_sse.stream_id, by_post, by_socket):
        await follower.end_of(stream_id)
    listed = (await ada.call("GET", "/api/streams")).json()["results"]
    assert {each["stream_id"] for each in listed} == {by_sse.stream_id, by_post, by_socket}
    rows = [row async for row in Stream.objects.values_list("owner", "user_id", "session")]
    assert rows == [(f"jwt:{ISSUER}:ada", None, "")] * 3
    assert ada.cookies == {}
    config = (await ada.call("GET", "/api/config")).json()
    assert config["user"] is None
    assert (await ada.call("DELETE", f"/api/streams/{by_post}")).status == 204
    assert (await ada.call("DELETE", "/api/streams")).json()["deleted"] == 2
    await ada.aclose()


async def test_everybody_has_their_own_across_issuers_and_kinds_of_users(
    process: Process, block: BlockType, play: Play
) -> None:
    play(*HANGS)
    own = await User.objects.acreate(username="ada")
    subject = str(own.pk)
    people = [
        Browser(token=signed(subject)),
        Browser(token=signed(f"{subject}0")),
        Browser(token=signed_by_other(subject)),
        Browser(token=await token_of("ada")),
    ]
    admitted = [process.tokens.admit(each.token or "") for each in people[:3]]
    groups = {visitor.person_group for _, visitor in admitted}
    assert len(groups) == 3 and all(len(group or "") < 100 for group in groups)
    started = [(await each.start_unwatched())["stream_id"] for each in people]
    follower = await people[2].connect("/ws/stream?follow=user")
    assert [each["stream_id"] for each in follower.hello["active"]] == [started[2]]
    for number, person in enumerate(people):
        listed = (await person.call("GET", "/api/streams")).json()["results"]
        assert [each["stream_id"] for each in listed] == [started[number]]
        for stream_id in started[:number] + started[number + 1 :]:
            (await person.call("GET", f"/api/streams/{stream_id}")).problem("not_found")
            answer = await person.call("POST", f"/api/streams/{stream_id}/cancel")
            answer.problem("not_found")
    assert await follower.before_pong() == []
    for person in people:
        await person.aclose()


async def test_the_origin_counts_as_for_api_tokens(process: Process, block: BlockType) -> None:
    ada = host()
    listed = await ada.call("GET", "/api/blocks", headers={"Origin": LISTED})
    assert listed.headers["access-control-allow-origin"] == LISTED
    foreign = {"Origin": "https://evil.example"}
    (await ada.call("GET", "/api/blocks", headers=foreign)).problem("forbidden_origin")


async def test_a_bad_token_is_refused_everywhere_even_beside_a_session_and_counts(
    process: Process, block: BlockType, make_browser: Any
) -> None:
    browser = await make_browser("ada")
    browser.token = signed(aud="somebody else")
    for call in (("GET", "/api/streams"), ("POST", START)):
        answer = await browser.call(*call)
        assert answer.problem("not_authenticated")["detail"] == "The token is not valid."
        assert "Bearer" in answer.headers["www-authenticate"]
    socket = browser.socket(headers={"Origin": "http://localhost"})
    await socket.handshake()
    assert await socket.closed() == 4401
    crowd = Browser(token=browser.token, address="203.0.113.7")
    process.tokens._count(crowd.address, INVALID_BURST + 5)
    (await crowd.call("GET", "/api/streams")).problem("rate_limited")
    valid = Browser(token=signed(), address=crowd.address)
    assert (await valid.call("GET", "/api/streams")).status == 200


async def test_a_token_in_an_address_is_not_read(process: Process, block: BlockType) -> None:
    socket = Browser().socket(f"/ws/stream?token={signed()}")
    await socket.handshake()
    assert await socket.closed() == 4401
    await socket.aclose()


# --- what a token grants ---------------------------------------------------------------------


async def test_the_scope_and_the_blocks_bound_what_may_be_asked(
    process: Process, make_block: MakeBlock, play: Play
) -> None:
    play("Hello")
    for slug in ("tale", "other"):
        await make_block(slug)
    ada = host(blocks=["tale"])
    line = await ada.start()
    await line.end()
    again = {"continues": line.stream_id}
    for fields in ({"prompt": "Why?"}, again):
        answer = await ada.post_json("/api/stream/ai-block/other", fields)
        assert "block" in answer.problem("forbidden")["detail"]
    socket = await ada.connect()
    await socket.say(type="start", ref="r", block_type="other", prompt="Why?")
    assert (await socket.until("refused"))["code"] == "forbidden"
    models = (await ada.call("GET", "/v1/models")).json()["data"]
    assert [model["id"] for model in models] == ["tale"]
    assert (await ada.call("GET", "/v1/models/tale")).status == 200
    assert (await ada.call("GET", "/v1/models/other")).json()["error"]["code"] == "forbidden"

    reader = host(scope="read")
    assert (await reader.resource(line.stream_id))["status"] == "complete"
    for method, path in (("POST", START), ("DELETE", f"/api/streams/{line.stream_id}")):
        data = {"prompt": "Why?"} if method == "POST" else {}
        (await reader.call(method, path, data)).problem("forbidden")
    narrower = host(blocks=[])
    assert (await narrower.resource(line.stream_id))["status"] == "complete"
    (await narrower.post_json(START, again)).problem("forbidden")
    await ada.aclose()


async def test_limits_are_those_of_the_plan_else_of_users(
    start_process: StartProcess, block: BlockType, settings: Any
) -> None:
    process = await start_process(**SETTINGS, LIMIT_RUNNING_PER_OWNER=1)
    process.providers.use(MODEL, scripted(*HANGS))
    gold = await Group.objects.acreate(name="Gold")
    await Limit.objects.acreate(whose=Limit.Whose.MEMBER, group=gold, running=3)
    await Limit.objects.acreate(whose=Limit.Whose.USERS, running=2)
    await Limit.objects.acreate(whose=Limit.Whose.VISITOR, running=7)
    await Limit.objects.acreate(whose=Limit.Whose.ANONYMOUS, running=1)
    await sync_to_async(clear_rules)()
    visitor = Browser()
    assert (await visitor.post_json(START, {"prompt": "Why?"})).status == 201
    (await Browser().post_json(START, {"prompt": "Why?"})).problem("too_many_streams")
    for subject, plan, most in (("ada", None, 2), ("bob", "Gold", 3)):
        person = host(subject, plan=plan)
        for _ in range(most):
            await person.start_unwatched()
        refused = await person.post_json(START, {"prompt": "Why?"})
        assert f"{most} " in refused.problem("too_many_streams")["detail"]
    unknown = host("eve", plan="Platinum")
    (await unknown.post_json(START, {"prompt": "Why?"})).problem("forbidden")
    assert (await unknown.call("GET", "/api/streams")).status == 200


async def test_tokens_count_for_the_owner_and_not_for_anonymous_visitors(
    start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(
        **SETTINGS,
        LIMIT_ANONYMOUS_TOKENS_PER_DAY=10**6,
        LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS=10**6,
    )
    process.providers.use(MODEL, scripted("Hello"))
    ada = Browser(token=signed(), address="203.0.113.7")
    line = await ada.start()
    await line.end()
    used = {row.subject async for row in TokenUse.objects.all()}
    assert used == {key_of(f"jwt:{ISSUER}:ada"), "all"}
    await ada.aclose()


def test_sums_over_anonymous_visitors_leave_users_of_other_sites_out(db: None) -> None:
    for owner in ("anonymous:x", f"jwt:{ISSUER}:ada", "jwt-hash:00"):
        put(owner=owner, status="queued", address_key="school", process="", ended_at=None)
    subjects = (
        Subject("anonymous", "anonymous", Allowance(running=9)),
        Subject("at_address", "school", Allowance(running=9)),
        Subject("address", "school", Allowance(running=9)),
        Subject("all", "all", Allowance(running=9)),
    )
    with connection.cursor() as cursor:
        uses = use_of(cursor, subjects, timezone.now())
    assert [use.places for use in uses] == [1, 1, 3, 3]
    assert len(running(subjects[1])) == 1
    assert count_waiting(Asker(is_anonymous=True, address="school")) == Taken(3, 1, 1)


# --- the end of a token ----------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["continue", "cancel"])
async def test_a_token_that_expires_ends_what_it_opened_and_a_new_one_resumes_in_mid_answer(
    start_process: StartProcess, block: BlockType, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    process = await start_process(**SETTINGS, AI_ALLOW_ANONYMOUS=False, STREAM_ON_RIGHT_END=rule)
    process.providers.use(MODEL, scripted("The ", "end ", {"hang": True}))
    old, new = host(seconds=60), host(seconds=900)
    line = await old.start()
    socket = await old.connect("/ws/stream?follow=user")
    await socket.say(type="resume", ref="r", stream_id=line.stream_id, after=-1)
    await socket.text_of(line.stream_id, "The end ")
    await line.text("The end ")
    renewed = await new.connect()
    await process.connections.check_rights()
    await renewed.before_pong()

    monkeypatch.setattr(rights, "time", SimpleNamespace(time=lambda: time.time() + 91))
    monkeypatch.setattr(Rights, "find_ended", _fail)  # the database can't be reached
    await process.connections.check_rights()
    assert await socket.closed() == 4401
    assert (await line.until("reconnect"))["retry_ms"] > 0
    assert await line.next() is None
    await process._ended_rights.look()

    last = await new.watch(line.stream_id, after=0)
    assert (await last.until("chunk"))["token"] == "end "
    await renewed.say(type="resume", ref="s", stream_id=line.stream_id, after=1)
    await renewed.before_pong()
    stopped = await new.cancel(line.stream_id)
    assert (stopped["status"], stopped["text"]) == ("cancelled", "The end ")
    end = await last.until("cancelled")
    assert (end["seq"], end["by"]) == (2, "owner"), "its expiry had stopped nothing"
    assert (await renewed.end_of(line.stream_id))["seq"] == 2
    for each in (old, new):
        await each.aclose()


def _fail(*_: Any) -> Any:
    raise OperationalError("no database")


async def test_a_command_with_an_expired_token_is_refused_before_the_check(
    process: Process, block: BlockType, play: Play, monkeypatch: Any
) -> None:
    play(*HANGS)
    ada = host(seconds=60)
    sockets = [await ada.connect() for _ in range(3)]
    stream_id = await ask(sockets[0])
    monkeypatch.setattr(rights, "time", SimpleNamespace(time=lambda: time.time() + 91))
    frames: list[dict[str, Any]] = [
        {"type": "start", "ref": "r", "block_type": "tale", "prompt": "Why?"},
        {"type": "resume", "ref": "r", "stream_id": stream_id, "after": -1},
        {"type": "cancel", "stream_id": stream_id},
    ]
    for socket, frame in zip(sockets, frames, strict=True):
        await socket.say(**frame)
        assert (await socket.until("refused"))["code"] == "not_authenticated"
        assert await socket.closed() == 4401
    assert await Stream.objects.filter(cancel_intent="").acount() == 1
    await ada.aclose()


@pytest.mark.parametrize("rule", ["continue", "cancel"])
async def test_where_no_issuer_is_trusted_any_more_their_answers_follow_the_rule(
    start_process: StartProcess, block: BlockType, settings: Any, rule: str
) -> None:
    process = await start_process(**SETTINGS, AI_ALLOW_ANONYMOUS=False, STREAM_ON_RIGHT_END=rule)
    process.providers.use(MODEL, scripted(*HANGS))
    line = await host().start()
    await line.text("The ")
    await process._ended_rights.look()
    assert len(process.generations) == 1
    settings.JWT_ISSUER, settings.JWT_MORE_ISSUERS = "", []
    await process._ended_rights.look()
    if rule == "continue":
        settings.JWT_ISSUER = ISSUER
        await host().cancel(line.stream_id)
    by = {"continue": "owner", "cancel": "admin"}[rule]
    assert (await line.until("cancelled"))["by"] == by
    await line.aclose()


def test_rights_of_signed_tokens_end_without_a_query() -> None:
    """The test has no database: a query would fail."""
    made = {rights.SignedRight(f"jwt:{OTHER_ISSUER}:{n}", time.time() + n - 5) for n in range(10)}
    ended = Rights().find_ended(made)
    assert {right.owner.rpartition(":")[2] for right in ended} == {f"{n}" for n in range(6)}
