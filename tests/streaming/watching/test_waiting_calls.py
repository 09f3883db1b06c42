"""A call with `?wait=1` ends with the session that admitted it.

Source: spec.md, "Start by POST".
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.access.rights import Right, Rights
from streaming.errors import Refused
from streaming.process import Process
from tests.conftest import Play
from tests.streaming.access.test_ended_sessions import EveryEnd, clock
from tests.support.servers.harness import eventually

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
    right = Right("key", None, None)
    monkeypatch.setattr(Rights, "find_ended", lambda self, rights: set(rights))
    work = process.connections.until_dismissed(asyncio.Event().wait(), right=right)
    waiting = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    process.connections.dismiss()
    await process.connections.check_rights()
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code == "not_authenticated"
