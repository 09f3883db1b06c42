"""`DELETE /api/streams`: all of one owner's answers go; what runs ends first.

Source: spec.md, "HTTP".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from blocks.models import BlockType
from streaming.access.sessions import SESSION_KEY, SessionStore
from streaming.access.visitor import Visitor
from streaming.admission.one_each import OneEach
from streaming.database import batches
from streaming.errors import Refused
from streaming.event_log.base import StreamNotFound
from streaming.models import Stream
from streaming.own_data import deleting
from streaming.own_data.deleting import delete_all
from streaming.process import Process
from tests.conftest import Play
from tests.support.schema import validate
from tests.support.streaming.api_tokens import token_of
from tests.support.streaming.browser import Answer, Browser
from tests.support.streaming.own_rows import left, owner_of, put_many

ALL = "/api/streams"


def outcome(answer: Answer) -> tuple[int, bool]:
    assert answer.status == 200, answer
    validate("all_deleted", answer.json())
    return answer.json()["deleted"], answer.json()["complete"]


async def delete(browser: Browser, **headers: Any) -> Answer:
    return await browser.call("DELETE", ALL, headers=headers or None)


async def test_all_answers_of_the_owner_go_and_no_other(
    browser: Browser, make_browser: Any
) -> None:
    await put_many(await owner_of(browser), 7)
    others = set(await put_many(await owner_of(await make_browser("ada")), 3))
    assert outcome(await delete(browser)) == (7, True)
    assert await left() == others
    assert (await browser.call("GET", ALL)).json() == {"results": [], "next": None}
    assert outcome(await delete(browser)) == (0, True)


async def test_what_runs_ends_with_one_terminal_event_and_is_deleted(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deleting, "RUNNING_AT_MOST", 2)
    play("Hello", {"hang": True})
    readers = [await browser.start() for _ in range(3)]
    for reader in readers:
        await reader.text("Hello")
    old = await put_many(await owner_of(browser), 2)
    assert outcome(await delete(browser)) == (5, True)
    assert await left() == set()
    for reader in readers:
        assert (await reader.end())["by"] == "owner"
        seen = Counter(event["type"] for event in reader.tape.events)
        assert [seen[kind] for kind in ("cancelled", "complete", "error")] == [1, 0, 0]
    for stream_id in [*old, *(reader.stream_id for reader in readers)]:
        (await browser.call("GET", f"{ALL}/{stream_id}")).problem("not_found")
        assert process.hub.find(stream_id) is None
        with pytest.raises(StreamNotFound):
            await process.log.status(stream_id)


async def test_deleting_takes_batches_and_one_call_continues_the_other(
    process: Process, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 10)
    monkeypatch.setattr(batches, "PAUSE_SECONDS", 0.0)
    clock = iter(range(100))
    monkeypatch.setattr(process, "now", lambda: next(clock))
    monkeypatch.setattr(deleting, "DELETE_SECONDS", 3)
    await put_many(await owner_of(browser), 32)
    assert outcome(await delete(browser)) == (20, False)
    assert len(await left()) == 12
    assert outcome(await delete(browser)) == (12, True)


async def test_what_is_asked_during_the_call_stays(process: Process, browser: Browser) -> None:
    owner = await owner_of(browser)
    await put_many(owner, 3)
    later = await put_many(owner, 1, created_at=timezone.now() + timedelta(minutes=1))
    assert outcome(await delete(browser)) == (3, True)
    assert await left() == set(later)


async def test_an_owner_deletes_once_at_a_time_and_others_meanwhile(
    process: Process, browser: Browser, make_browser: Any
) -> None:
    await put_many(await owner_of(browser), 2)
    ada = await make_browser("ada")
    turn = process.deletions.take(of(await owner_of(browser)), busy="")
    turn.begin()
    refused = await delete(browser)
    assert refused.problem("rate_limited")["detail"] == "Your answers are being deleted already."
    assert int(refused.headers["retry-after"]) > 0
    assert outcome(await delete(ada)) == (0, True)
    turn.end()
    assert outcome(await delete(browser)) == (2, True)
    assert len(process.deletions) == 0


async def test_a_stream_whose_end_is_not_seen_keeps_everything_and_a_further_call_deletes(
    process: Process,
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play("Hello", {"hang": True})
    await browser.start_unwatched()
    kept = await put_many(await owner_of(browser), 2)
    real = process.manager.cancel

    async def unseen(*_: Any, **__: Any) -> None:
        raise Refused("store_unavailable", retry_after_seconds=1)

    monkeypatch.setattr(process.manager, "cancel", unseen)
    (await delete(browser)).problem("store_unavailable")
    assert set(kept) < await left()
    monkeypatch.setattr(process.manager, "cancel", real)
    assert outcome(await delete(browser)) == (3, True)


async def test_a_stream_that_was_deleted_meanwhile_stops_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_many("user:1", 2)
    gone = Stream(id="x" * 22, created_at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(deleting.store, "find_running", lambda *_: [gone])
    assert await delete_all(process, Visitor("user:1", 1, None)) == {"deleted": 2, "complete": True}


async def test_a_call_that_is_cut_leaves_no_turn(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 1)
    await put_many("user:1", 50)
    loop, is_begun, real = asyncio.get_running_loop(), asyncio.Event(), deleting._delete_batch

    def note(*args: Any) -> Any:
        found = real(*args)
        loop.call_soon_threadsafe(is_begun.set)
        return found

    monkeypatch.setattr(deleting, "_delete_batch", note)
    call = asyncio.create_task(delete_all(process, Visitor("user:1", 1, None)))
    await is_begun.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert 0 < len(await left()) < 50
    assert len(process.deletions) == 0


async def test_starts_that_a_sign_in_has_overtaken_go_too(
    make_browser: Any, process: Process
) -> None:
    ada = await make_browser("ada")
    session = SessionStore(ada.cookies["sessionid"])
    late = await put_many(f"anonymous:{await session.aget(SESSION_KEY)}", 1)
    assert len(late) == 1
    assert outcome(await delete(ada)) == (1, True)


# --- who may ---------------------------------------------------------------------------------


async def test_a_parameter_deletes_nothing(browser: Browser) -> None:
    kept = await put_many(await owner_of(browser), 2)
    for query in ("status=error", "q=x", "limit=1", "block_type=quiz", "other=1"):
        answer = await browser.call("DELETE", f"{ALL}?{query}")
        answer.problem("invalid_input", field=query.partition("=")[0])
    assert await left() == set(kept)


async def test_a_cookie_needs_the_csrf_token(browser: Browser) -> None:
    kept = await put_many(await owner_of(browser), 2)
    answer = await browser.call("DELETE", ALL, headers={"X-CSRFToken": None})
    answer.problem("csrf_failed")
    assert await left() == set(kept)


@pytest.mark.parametrize(("scope", "code"), [("read", "forbidden"), ("ask", None)])
async def test_a_token_needs_the_scope_ask(process: Process, scope: str, code: Any) -> None:
    program = Browser(token=await token_of("ada", scope=scope))
    user = await User.objects.aget(username="ada")
    kept = await put_many(f"user:{user.pk}", 2, user=user)
    answer = await delete(program)
    if code:
        answer.problem(code)
        assert await left() == set(kept)
    else:
        assert outcome(answer) == (2, True)


async def test_nobody_deletes_nothing(start_process: Any) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    kept = await put_many("anonymous:x", 1)
    (await delete(Browser())).problem("not_authenticated")
    assert await left() == set(kept)


# --- turns -----------------------------------------------------------------------------------


def of(owner: str, address: str | None = None) -> Visitor:
    return Visitor(owner, None, None, address)


def test_a_turn_that_does_not_begin_is_free_again_after_a_while() -> None:
    now = 0.0
    turns = OneEach(2, now=lambda: now)
    forgotten = turns.take(of("ada"), busy="busy")
    with pytest.raises(Refused, match="busy"):
        turns.take(of("ada"), busy="busy")
    now = 11.0
    held = turns.take(of("ada"), busy="busy")
    held.begin()
    forgotten.end()  # not its turn any more
    now = 10_000.0
    with pytest.raises(Refused, match="busy"):
        turns.take(of("ada"), busy="busy")
    turns.take(of("bob"), busy="busy").begin()
    with pytest.raises(Refused) as refused:
        turns.take(of("eve"), busy="busy")
    assert refused.value.code == "over_capacity"
    held.end()
    turns.take(of("eve"), busy="busy")


def test_one_address_leaves_turns_to_others_however_many_sessions_it_has() -> None:
    turns = OneEach(20, now=lambda: 0.0)
    taken = [turns.take(of(f"mine-{n}", "192.0.2.1"), busy="busy") for n in range(5)]
    with pytest.raises(Refused, match="Others at your address") as refused:
        turns.take(of("mine-5", "192.0.2.1"), busy="busy")
    assert refused.value.code == "rate_limited"
    for n in range(15):  # an address that is not known does not count
        turns.take(of(f"other-{n}", None if n % 2 else f"192.0.2.{n + 2}"), busy="busy")
    taken[0].end()
    turns.take(of("mine-6", "192.0.2.1"), busy="busy")
