"""Running streams whose owner is deleted, deactivated, signed out, or no longer welcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import OperationalError

from blocks.models import BlockType
from streaming.database import ended_rights
from streaming.event_log.base import StreamNotFound
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, StartProcess, scripted
from tests.streaming.access.test_ended_sessions import request_of
from tests.support.streaming.browser import Browser
from tests.support.streaming.event_reader import EventReader
from tests.support.streaming.running import until_idle

pytestmark = pytest.mark.usefixtures("no_clockwork")

Begin = Callable[..., Awaitable[tuple[Process, Browser, EventReader]]]


@pytest_asyncio.fixture
async def begin(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> AsyncIterator[Begin]:
    """Start a stream whose model says `The ` and is silent then, as ada or anonymously."""

    async def start(
        username: str | None = "ada", **settings: Any
    ) -> tuple[Process, Browser, EventReader]:
        process = await start_process(**settings)
        process.providers.use(MODEL, scripted("The ", {"hang": True}))
        browser = await make_browser(username)
        line = await browser.start()
        await line.text("The ")
        return process, browser, line

    yield start


async def look(process: Process) -> None:
    await process._ended_rights.look()


@pytest.mark.parametrize("rule", ["continue", "cancel"])
async def test_a_deleted_user_s_stream_stops_although_its_model_is_silent_and_leaves_no_log(
    begin: Begin, rule: str
) -> None:
    process, _, line = await begin(STREAM_ON_RIGHT_END=rule)
    await sync_to_async(User.objects.filter(username="ada").delete)()
    await look(process)
    assert (await line.until("error"))["code"] == "unauthorized"
    await until_idle(process)
    await look(process)
    await process.manager._tasks.ended(5)
    with pytest.raises(StreamNotFound):
        await process.log.status(line.stream_id)
    assert process.hub.find(line.stream_id) is None


async def test_a_deleted_user_s_stream_in_line_stops_too(begin: Begin, make_browser: Any) -> None:
    process, _, _ = await begin(None, STREAM_MAX_RUNNING=1, STREAM_MAX_WAITING=5)
    bob = await make_browser("bob")
    waiting = await bob.start()
    await waiting.until("queue")
    await sync_to_async(User.objects.filter(username="bob").delete)()
    await look(process)
    assert (await waiting.until("error"))["code"] == "unauthorized"


@pytest.mark.parametrize(("rule", "end"), [("continue", None), ("cancel", "admin")])
async def test_a_deactivation_ends_streams_by_the_setting(
    begin: Begin, rule: str, end: str | None
) -> None:
    process, _, line = await begin(STREAM_ON_RIGHT_END=rule)
    await look(process)
    assert process.manager.running == 1
    await User.objects.filter(username="ada").aupdate(is_active=False)
    await look(process)
    await assert_end(process, line, end)


@pytest.mark.parametrize(("rule", "end"), [("continue", None), ("cancel", "owner")])
async def test_a_sign_out_ends_the_streams_of_its_session_by_the_setting(
    begin: Begin, make_browser: Any, rule: str, end: str | None
) -> None:
    process, here, line = await begin(STREAM_ON_RIGHT_END=rule)
    there = await make_browser("ada")
    other = await there.start()

    def sign_out() -> None:
        request = request_of(here)
        request.user = User.objects.get(username="ada")
        logout(request)

    await sync_to_async(sign_out)()
    await process.generations.look_for_intents()
    await assert_end(process, line, end, running=2)
    await other.text("The ")
    assert other.stream_id in process.generations
    assert (await Stream.objects.aget(pk=other.stream_id)).cancel_intent == ""


@pytest.mark.parametrize(
    ("rule", "allows", "end"),
    [("continue", False, None), ("cancel", True, None), ("cancel", False, "admin")],
)
async def test_streams_of_visitors_end_where_anonymous_use_is_off_by_the_setting(
    begin: Begin, settings: Any, rule: str, allows: bool, end: str | None
) -> None:
    process, _, line = await begin(None, STREAM_ON_RIGHT_END=rule)
    settings.AI_ALLOW_ANONYMOUS = allows  # as in a process that takes the stream over
    await look(process)
    await assert_end(process, line, end)


async def test_an_unreachable_database_stops_nothing(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _, line = await begin()

    def fail(*args: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(ended_rights, "find_deleted", fail)
    await look(process)
    await assert_end(process, line, None)


async def assert_end(
    process: Process, line: EventReader, by: str | None, *, running: int = 1
) -> None:
    """Assert that a stream was cancelled by somebody; None: that it runs."""
    if by is not None:
        assert (await line.until("cancelled"))["by"] == by
    else:
        assert line.stream_id in process.generations
        assert not process.generations.find(line.stream_id)._stop.done()  # type: ignore[union-attr]
        assert process.manager.running == running
