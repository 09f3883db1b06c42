"""The cancel action of the admin panel, with streams that run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import AsyncClient

from blocks.models import BlockType
from streaming import stream_manager
from streaming.admin import cancelling
from streaming.errors import Refused
from streaming.models import Stream, StreamingSettings
from streaming.process import Process
from streaming.watching.hub import Feed
from tests.conftest import MakeBlock, Play
from tests.support.streaming.admin import SETTINGS, STREAMS, put
from tests.support.streaming.asking import NO_STREAM
from tests.support.streaming.browser import Browser
from tests.support.streaming.event_reader import EventReader


async def admin_client() -> AsyncClient:
    client = AsyncClient()
    user = await sync_to_async(User.objects.create_superuser)("operator")
    await client.aforce_login(user)
    return client


async def cancel(client: AsyncClient, *ids: str, query: str = "", **data: str) -> str:
    """Choose the action for these; what the page says then."""
    sent = {"action": "cancel", "_selected_action": ids, **data}
    async with asyncio.timeout(20):
        response = await client.post(STREAMS + query, sent)
        assert response.status_code == 302
        return (await client.get(STREAMS)).content.decode()


async def running(browser: Browser, play: Play, count: int) -> list[EventReader]:
    """So many streams that have begun and say no more."""
    play("The ", {"hang": True})
    readers = [await browser.start() for _ in range(count)]
    for reader in readers:
        await reader.text("The ")
    return readers


async def test_an_admins_cancel_stops_running_streams_and_says_so_to_their_viewers(
    browser: Browser, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    readers = [await browser.start(), await browser.start()]
    for reader in readers:
        await reader.text("The ")
    client = await admin_client()
    page = await cancel(client, *(reader.stream_id for reader in readers))
    assert "2 streams were cancelled." in page
    entries = LogEntry.objects.filter(change_message="Cancelled.", user__username="operator")
    recorded = {entry.object_id async for entry in entries}
    assert recorded == {reader.stream_id for reader in readers}
    url = f"{STREAMS}{quote(readers[0].stream_id)}/"
    assert f'href="{url}history/"' in (await client.get(f"{url}change/")).content.decode()
    assert "Cancelled." in (await client.get(f"{url}history/")).content.decode()
    for reader in readers:
        terminal = await reader.end()
        assert (terminal["type"], terminal["by"]) == ("cancelled", "admin")
    assert provider.calls_open == 0


async def test_an_admins_cancel_leaves_ended_streams_and_those_not_selected_alone(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("Hello")
    ended = await browser.start()
    await ended.end()
    (other,) = await running(browser, play, 1)
    await process.generations.saver.flush()
    page = await cancel(await admin_client(), ended.stream_id)
    assert "0 streams were cancelled." in page
    assert "1 had already ended." in page
    assert (await browser.resource(ended.stream_id))["status"] == "complete"
    assert (await browser.resource(other.stream_id))["status"] == "running"
    await browser.cancel(other.stream_id)


async def test_a_stream_that_begins_to_run_while_its_queued_row_is_shown_is_cancelled_too(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    (reader,) = await running(browser, play, 1)
    await process.generations.saver.flush()
    page = await cancel(await admin_client(), reader.stream_id, query="?status__exact=queued")
    assert "1 stream was cancelled." in page
    assert (await reader.end())["by"] == "admin"


async def test_a_queued_stream_that_nobody_has_taken_up_is_cancelled_too(
    block: BlockType, process: Process
) -> None:
    row = await sync_to_async(put)(status="queued", ended_at=None, seq=-1)
    page = await cancel(await admin_client(), row.pk)
    assert "1 stream was cancelled." in page
    row = await Stream.objects.aget(pk=row.pk)
    assert (row.status, row.terminal["by"]) == ("cancelled", "admin")


async def test_the_cancel_of_all_that_the_list_finds_leaves_the_others_alone(
    browser: Browser, block: BlockType, make_block: MakeBlock, play: Play
) -> None:
    (told,) = await running(browser, play, 1)
    await make_block("other")
    other = await browser.start("other")
    page = await cancel(
        await admin_client(), told.stream_id, query="?block_type=tale", select_across="1"
    )
    assert "1 stream was cancelled." in page
    assert (await browser.resource(other.stream_id))["status"] != "cancelled"
    await browser.cancel(other.stream_id)


async def test_a_refused_cancel_is_shown_to_the_admin_and_the_others_are_carried_out(
    browser: Browser, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, middle, last = await running(browser, play, 3)
    ask = stream_manager.StreamManager.store_cancel

    async def refuse(self: Any, stream_id: str, *args: Any, **kwargs: Any) -> Any:
        if stream_id == middle.stream_id:
            raise Refused("store_unavailable", "The store is away.")
        return await ask(self, stream_id, *args, **kwargs)

    client = await admin_client()
    ids = [first.stream_id, middle.stream_id, last.stream_id]
    with monkeypatch.context() as patch:
        patch.setattr(stream_manager.StreamManager, "store_cancel", refuse)
        page = await cancel(client, *ids, NO_STREAM)
    assert "2 streams were cancelled." in page
    assert f"1 stream ({middle.stream_id}) was not cancelled: The store is away." in page
    assert f"1 stream ({NO_STREAM}) was not cancelled: Stream not found." in page
    assert [(await reader.end())["by"] for reader in (first, last)] == ["admin", "admin"]
    assert (await browser.resource(middle.stream_id))["status"] == "running"
    await browser.cancel(middle.stream_id)


async def test_a_failed_cancel_is_shown_and_logged_and_the_others_are_carried_out(
    browser: Browser,
    block: BlockType,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, sound = await running(browser, play, 2)
    ask = stream_manager.StreamManager.store_cancel

    async def break_one(self: Any, stream_id: str, *args: Any, **kwargs: Any) -> Any:
        if stream_id == broken.stream_id:
            raise ZeroDivisionError
        return await ask(self, stream_id, *args, **kwargs)

    client = await admin_client()
    with monkeypatch.context() as patch:
        patch.setattr(stream_manager.StreamManager, "store_cancel", break_one)
        page = await cancel(client, broken.stream_id, sound.stream_id)
    assert "1 stream was cancelled." in page
    assert f"1 stream ({broken.stream_id}) was not cancelled: Something went wrong" in page
    assert f"The cancel of stream {broken.stream_id} failed." in caplog.text
    await browser.cancel(broken.stream_id)


async def test_streams_that_are_slow_to_end_are_waited_for_together(
    browser: Browser, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "CANCELS_AT_ONCE", 2)
    monkeypatch.setattr(cancelling, "NAMED_AT_MOST", 3)
    readers = await running(browser, play, 5)
    ids = [reader.stream_id for reader in readers]
    client = await admin_client()

    async def store_nothing(*args: Any, **kwargs: Any) -> None:
        """Their ends do not come."""

    see_end, all_wait = stream_manager.StreamManager.see_end, asyncio.Barrier(len(ids))

    async def see_end_together(self: Any, feed: Feed) -> Feed:
        await all_wait.wait()  # one after the other, they would wait for ever
        return await see_end(self, feed)

    with monkeypatch.context() as patch:
        patch.setattr(stream_manager, "CANCEL_WAITS_SECONDS", 0.05)
        patch.setattr(stream_manager.StreamManager, "store_intent", store_nothing)
        patch.setattr(stream_manager.StreamManager, "see_end", see_end_together)
        page = await cancel(client, *ids)
    assert "0 streams were cancelled." in page
    assert "5 streams (" in page
    assert "…) were not cancelled: The stream is being stopped" in page
    assert sum(stream_id in page.partition("</ul>")[0] for stream_id in ids) == 3
    for stream_id in ids:
        await browser.cancel(stream_id)


async def test_the_switch_that_stops_everything_says_what_it_cancelled_and_that_it_is_off_again(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    readers = await running(browser, play, 2)
    waiting = await sync_to_async(put)(status="queued", ended_at=None, seq=-1)  # for a worker
    client, path = await admin_client(), f"{SETTINGS}1/change/"
    await StreamingSettings().asave()
    assert "3 streams are running or waiting" in (await client.get(path)).content.decode()
    async with asyncio.timeout(20):
        await client.post(path, {"paused": "on"})
    page = (await client.get(path)).content.decode()
    # The process may have cancelled its own by itself, before or after.
    assert "3 streams were cancelled." in page
    entry = await LogEntry.objects.aget(object_repr="All running answers")
    assert entry.change_message == "3 streams were cancelled."
    assert "Stopped: starts are refused. 0 streams are still ending." in page
    assert [(await reader.end())["by"] for reader in readers] == ["admin", "admin"]
    assert (await Stream.objects.aget(pk=waiting.pk)).terminal["by"] == "admin"
    sent = {"initial-paused": "True", "paused": "on", "message": "Back soon."}
    await client.post(path, sent)
    page = (await client.get(path)).content.decode()
    assert "cancelled" not in page.partition("Stop everything")[0].partition("messagelist")[2]
    await client.post(path, {"initial-paused": "True"})
    assert "Starts are accepted again." in (await client.get(path)).content.decode()
