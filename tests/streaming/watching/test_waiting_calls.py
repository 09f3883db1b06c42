"""A call with `?wait=1` ends with the session that admitted it.

Source: spec.md, "Start by POST".
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from blocks.models import BlockType
from streaming.access.rights import Rights, SessionRight
from streaming.errors import Refused
from streaming.http import endpoint
from streaming.process import Process
from tests.conftest import Play
from tests.streaming.access.test_ended_sessions import EveryEnd, _delete_user, _sign_out, clock
from tests.support.servers.harness import eventually
from tests.support.streaming import api_tokens
from tests.support.streaming.browser import Browser

assert clock  # a fixture that applies here too

PATH = "/api/stream/ai-block/tale?wait=1"


@EveryEnd
async def test_it_ends_as_not_authenticated_and_no_earlier(
    process: Process, block: BlockType, play: Play, make_browser: Any, username: Any, end: Any
) -> None:
    play("The ", {"hang": True})
    browser = await make_browser(username)
    call = asyncio.ensure_future(browser.post_json(PATH, {"prompt": "Why?"}))
    await eventually(lambda: bool(process.connections._waits))
    await process.connections.check_rights()
    assert process.connections._waits and not call.done()
    await sync_to_async(end)(browser)
    await process.connections.check_rights()
    (await call).problem("not_authenticated")
    assert not process.connections._waits


async def test_it_is_left_alone_while_the_session_holds(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("The sky ", {"pause_ms": 50}, "is blue")
    browser = await make_browser("ada")
    call = asyncio.ensure_future(browser.post_json(PATH, {"prompt": "Why?"}))
    await eventually(lambda: bool(process.connections._waits))
    await process.connections.check_rights()
    assert (await call).stream(200)["text"] == "The sky is blue"


async def test_a_session_that_ends_during_a_shutdown_is_the_reason_that_counts(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = SessionRight("key", None, None)
    monkeypatch.setattr(Rights, "find_ended", lambda self, rights: set(rights))
    work = process.connections.until_dismissed(asyncio.Event().wait(), right=right)
    waiting = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    process.connections.dismiss()
    await process.connections.check_rights()
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code == "not_authenticated"


async def test_one_that_is_answered_while_its_session_is_checked_harms_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, answer = SessionRight("key", None, None), asyncio.Event()
    work = process.connections.until_dismissed(answer.wait(), right=right)
    waiting = asyncio.ensure_future(work)
    await asyncio.sleep(0)

    async def find_late(find: Any, rights: set[SessionRight]) -> set[SessionRight]:
        answer.set()
        await waiting
        return rights

    monkeypatch.setattr(process.connections._db, "run", find_late)
    await process.connections.check_rights()
    assert waiting.result() is True


@pytest.mark.parametrize("end", [_sign_out, _delete_user])
async def test_an_answer_that_ends_with_the_session_is_not_shown_either(
    process: Process, block: BlockType, play: Play, make_browser: Any, end: Any
) -> None:
    play("The ", {"hang": True})
    browser = await make_browser("ada")
    call = asyncio.ensure_future(browser.post_json(PATH, {"prompt": "Why?"}))
    await eventually(lambda: bool(process.connections._waits))
    await sync_to_async(end)(browser)
    for generation in process.generations.all():
        process.generations.cancel(generation.stream_id, "owner")
    (await call).problem("not_authenticated")


async def test_an_unreachable_database_does_not_hide_the_answer(
    process: Process, block: BlockType, play: Play, make_browser: Any, monkeypatch: Any
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(endpoint, "require_right", fail)
    play("The sky")
    browser = await make_browser("ada")
    (await browser.post_json(PATH, {"prompt": "Why?"})).stream(200)


@pytest.mark.parametrize("end", api_tokens.ENDS, ids=lambda end: end.__name__)
async def test_a_call_with_an_api_token_ends_with_the_token(
    process: Process, block: BlockType, play: Play, end: Any
) -> None:
    play("The ", {"hang": True})
    headers = {"Authorization": f"Token {await api_tokens.token_of('ada')}"}
    call = asyncio.ensure_future(Browser().post_json(PATH, {"prompt": "Why?"}, headers=headers))
    await eventually(lambda: bool(process.connections._waits))
    await process.connections.check_rights()
    assert not call.done()
    await sync_to_async(end)()
    await process.connections.check_rights()
    (await call).problem("not_authenticated")
