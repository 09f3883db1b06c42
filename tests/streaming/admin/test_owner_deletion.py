"""All answers of one owner are deleted by one button of the admin panel."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.test import Client

from blocks.models import BlockType
from streaming.admin.owner_deletion import MAX_OWNER_CHARS
from streaming.models import Stream
from streaming.own_data import deleting
from streaming.process import Process
from tests.conftest import Play
from tests.streaming.admin.test_cancelling import admin_client, running
from tests.support.streaming.admin import SECRET, STREAMS, put
from tests.support.streaming.browser import Browser

OWNER = "anonymous:one"
PAGE = f"{STREAMS}delete-owner/?owner={OWNER}"


def put_many(count: int) -> None:
    for _ in range(count):
        put(owner=OWNER)


async def test_more_than_a_page_of_an_owners_answers_go_and_only_they(process: Process) -> None:
    await sync_to_async(put_many)(152)
    other = await sync_to_async(put)(owner="anonymous:two")
    client = await admin_client()
    page = (await client.get(PAGE)).content.decode()
    assert "Delete 152 answers" in page
    assert await Stream.objects.acount() == 153, "looking deletes nothing"
    page = (await client.post(PAGE, follow=True)).content.decode()
    assert "152 answers deleted. None is left." in page
    assert "0 streams" in page
    assert [row.pk async for row in Stream.objects.all()] == [other.pk]
    entry = await LogEntry.objects.aget()
    assert entry.object_repr == f"152 answers of {OWNER}"
    assert SECRET not in entry.object_repr + entry.change_message
    assert 'type="submit" value="Delete' not in (await client.get(PAGE)).content.decode()


async def test_what_is_left_after_its_time_is_said_and_shown_again(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync_to_async(put_many)(3)
    monkeypatch.setattr(deleting, "DELETE_SECONDS", 0.0)
    response = await (await admin_client()).post(PAGE, follow=True)
    assert "0 answers deleted. Some are left: go on." in response.content.decode()
    assert "Delete 3 answers" in response.content.decode()


async def test_what_runs_ends_for_its_viewers_before_it_goes(
    browser: Browser, block: BlockType, play: Play
) -> None:
    (reader,) = await running(browser, play, 1)
    row = await Stream.objects.aget(pk=reader.stream_id)
    client = await admin_client()
    response = await client.post(f"{STREAMS}delete-owner/?owner={row.owner}")
    assert response.status_code == 302
    terminal = await reader.end()
    assert (terminal["type"], terminal["by"]) == ("cancelled", "admin")
    assert not await Stream.objects.aexists()


def test_the_page_of_an_answer_leads_to_all_of_its_owner(operator: Client) -> None:
    page = operator.get(f"{STREAMS}{put(owner=OWNER).pk}/change/").content.decode()
    assert "/admin/streaming/stream/delete-owner/?owner=anonymous%3Aone" in page


def test_who_may_only_view_streams_deletes_none(staff: Any) -> None:
    row = put(owner=OWNER)
    client = staff("view_stream")
    assert "delete-owner" not in client.get(f"{STREAMS}{row.pk}/change/").content.decode()
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code == 403
    assert Stream.objects.count() == 1


def test_an_owner_that_nobody_can_have_is_bounded(operator: Client) -> None:
    page = operator.get(f"{STREAMS}delete-owner/?owner={'x' * 5000}").content.decode()
    assert "x" * MAX_OWNER_CHARS in page and "x" * (MAX_OWNER_CHARS + 1) not in page
    assert "0 answers" in operator.get(f"{STREAMS}delete-owner/").content.decode()
