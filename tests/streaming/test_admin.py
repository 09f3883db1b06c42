"""The operators' pages in Django's admin."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from blocks.models import BlockType
from streaming import admin as stream_admin
from streaming import stream_manager
from streaming.database import search, time_limit
from streaming.database.store import new_stream_id
from streaming.errors import Refused
from streaming.models import Stream, StreamingSettings
from streaming.process import Process
from streaming.switches import current_switches
from tests.conftest import MakeBlock, Play
from tests.support.streaming.asking import NO_STREAM
from tests.support.streaming.browser import Browser
from tests.support.streaming.event_reader import EventReader

SECRET = "what nobody else may read"
SETTINGS = "/admin/streaming/streamingsettings/"
STREAMS = "/admin/streaming/stream/"


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    """A client with all permissions."""
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def staff(client: Client, db: None) -> Any:
    """`staff("view_stream")`: a client signed in to the admin with only these permissions."""

    def make(*codenames: str) -> Client:
        user = User.objects.create(username="staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        assert user.user_permissions.count() == len(codenames)
        client.force_login(user)
        return client

    return make


def put(**fields: Any) -> Stream:
    """Create a row, which has ended by default."""
    values = {
        "id": new_stream_id(),
        "owner": "user:1",
        "block_type": "tale",
        "model": "x",
        "prompt": SECRET,
        "status": "complete",
        "mark": 9,
        "created_at": timezone.now(),
        "ended_at": timezone.now(),
        **fields,
    }
    return Stream.objects.create(**values)


def test_everything_registered_is_sound() -> None:
    for model in (Stream, StreamingSettings):
        assert admin.site._registry[model].check() == []


# --- the switches -----------------------------------------------------------------------


def test_the_list_of_settings_leads_to_the_one_row(operator: Client) -> None:
    response = operator.get(SETTINGS)
    assert (response.status_code, response["Location"]) == (302, f"{SETTINGS}1/change/")
    page = operator.get(response["Location"])
    assert page.status_code == 200
    assert operator.get(SETTINGS)["Location"] == f"{SETTINGS}1/change/"
    assert StreamingSettings.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (("", "", ""), (None, "", None)),
        (("True", "sse", "True"), (True, "sse", True)),
        (("False", "websocket", "False"), (False, "websocket", False)),
    ],
)
def test_each_switch_can_be_set_and_left_as_configured(
    operator: Client, sent: tuple[str, str, str], kept: tuple[Any, ...]
) -> None:
    StreamingSettings(enabled=True, backend="sse", fallback=False, message="before").save()
    data = dict(zip(("enabled", "backend", "fallback"), sent, strict=True)) | {"message": "Hi"}
    response = operator.post(f"{SETTINGS}1/change/", data)
    assert response.status_code == 302, response.context["errors"]
    row = StreamingSettings.objects.get()
    assert (row.enabled, row.backend, row.fallback) == kept
    assert (row.pk, row.message) == (1, "Hi")


@pytest.mark.parametrize(
    "wrong", [{"backend": "carrier pigeon"}, {"enabled": "maybe"}, {"message": "x" * 301}]
)
def test_a_switch_that_there_is_not_is_refused_at_its_field(
    operator: Client, wrong: dict[str, str]
) -> None:
    StreamingSettings().save()
    data = {"enabled": "", "backend": "", "fallback": "", "message": ""} | wrong
    response = operator.post(f"{SETTINGS}1/change/", data)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == list(wrong)


def test_what_is_set_counts_at_once_in_this_process(operator: Client, settings: Any) -> None:
    settings.AI_STREAMING_ENABLED = True
    assert current_switches().enabled
    StreamingSettings().save()
    data = {"enabled": "False", "backend": "", "fallback": "", "message": ""}
    operator.post(f"{SETTINGS}1/change/", data)
    assert not current_switches().enabled
    page = operator.get(f"{SETTINGS}1/change/").content.decode()
    assert "streaming off, over sse, the other transport too" in page


def test_no_second_row_can_be_made_and_the_one_not_be_deleted(operator: Client) -> None:
    StreamingSettings(message="kept").save()
    for path in (f"{SETTINGS}add/", f"{SETTINGS}1/delete/"):
        assert operator.get(path).status_code == 403
        assert operator.post(path, {"post": "yes"}).status_code == 403
    assert StreamingSettings.objects.get().message == "kept"


def test_the_settings_are_for_those_who_may_change_them(staff: Any) -> None:
    StreamingSettings(message="kept").save()
    somebody = staff("view_stream")
    for path in (SETTINGS, f"{SETTINGS}1/change/"):
        response = somebody.get(path, follow=True)
        assert response.status_code == 403
    assert somebody.post(f"{SETTINGS}1/change/", {"message": "x"}).status_code == 403
    assert StreamingSettings.objects.get().message == "kept"


def test_who_has_no_right_to_the_settings_makes_no_row(staff: Any) -> None:
    staff("view_stream").get(SETTINGS)
    assert not StreamingSettings.objects.exists()


# --- block types ------------------------------------------------------------------------


def test_a_block_type_can_be_opened_changed_and_saved_there(operator: Client) -> None:
    schema = {"properties": {"words": {"type": "integer", "default": 3}}}
    block = BlockType.objects.create(slug="tale", title="Tale", options_schema=schema)
    path = f"/admin/blocks/blocktype/{block.pk}/change/"
    form = operator.get(path).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    response = operator.post(path, data | {"title": "Another title", "enabled": ""})
    assert response.status_code == 302, response.context["errors"]
    changed = BlockType.objects.get(pk=block.pk)
    assert (changed.title, changed.enabled) == ("Another title", False)
    assert changed.options_schema == schema


def test_the_list_of_block_types_can_be_opened(operator: Client) -> None:
    BlockType.objects.create(slug="tale", title="Tale")
    response = operator.get("/admin/blocks/blocktype/")
    assert response.status_code == 200
    assert b"tale" in response.content


# --- streams ------------------------------------------------------------------------------


def test_streams_can_be_looked_at_and_not_edited(operator: Client) -> None:
    row = put()
    listed = operator.get(STREAMS)
    assert row.pk in listed.content.decode()
    assert SECRET not in listed.content.decode()
    page = operator.get(f"{STREAMS}{row.pk}/change/")
    assert page.status_code == 200
    assert page.context["adminform"].form.fields == {}
    response = operator.post(f"{STREAMS}{row.pk}/change/", {"prompt": "changed"})
    assert response.status_code == 403
    assert operator.get(f"{STREAMS}add/").status_code == 403
    assert Stream.objects.get().prompt == SECRET


@pytest.mark.parametrize("query", ["?q=nobody", "?status=complete", "?block_type=tale"])
def test_streams_can_be_searched_and_filtered(operator: Client, query: str) -> None:
    row = put()
    response = operator.get(STREAMS + query)
    assert response.status_code == 200
    assert row.pk in response.content.decode()
    assert operator.get(STREAMS + "?q=zzz").content.decode().count(row.pk) == 0


def test_an_ended_stream_can_be_deleted_and_a_running_one_not(operator: Client) -> None:
    ended, running = put(), put(status="running", ended_at=None)
    assert operator.post(f"{STREAMS}{running.pk}/delete/", {"post": "yes"}).status_code == 403
    assert operator.post(f"{STREAMS}{ended.pk}/delete/", {"post": "yes"}).status_code == 302
    assert [row.pk for row in Stream.objects.all()] == [running.pk]


def test_what_people_asked_stands_in_no_log(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # Django's own DEBUG lines quote queries
    one, other = put(), put()
    operator.get(f"{STREAMS}{one.pk}/change/")
    operator.post(f"{STREAMS}{one.pk}/delete/", {"post": "yes"})
    data = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    operator.post(STREAMS, data)
    assert not Stream.objects.exists()
    entries = list(LogEntry.objects.all())
    assert len(entries) == 2
    assert SECRET not in caplog.text
    assert not any(SECRET in entry.object_repr + entry.change_message for entry in entries)


def test_selected_streams_are_deleted_only_if_all_of_them_have_ended(operator: Client) -> None:
    ended, running = put(), put(status="running", ended_at=None)
    data = {
        "action": "delete_selected",
        "_selected_action": [ended.pk, running.pk],
        "post": "yes",
    }
    assert operator.post(STREAMS, data).status_code == 403
    assert Stream.objects.count() == 2


def test_the_streams_are_for_those_who_may_view_them(staff: Any) -> None:
    row = put()
    somebody = staff("view_streamingsettings")
    for path in (STREAMS, f"{STREAMS}{row.pk}/change/"):
        assert somebody.get(path).status_code == 403


def test_who_may_only_look_is_not_offered_to_cancel(staff: Any) -> None:
    row = put(status="running", ended_at=None)
    somebody = staff("view_stream")
    assert 'value="cancel"' not in somebody.get(STREAMS).content.decode()
    data = {"action": "cancel", "_selected_action": [row.pk]}
    somebody.post(STREAMS, data)
    assert Stream.objects.get().cancel_intent == ""


def test_the_public_is_sent_to_sign_in(client: Client, db: None) -> None:
    for path in (STREAMS, SETTINGS, reverse("admin:index")):
        response = client.get(path)
        assert response.status_code == 302
        assert "/admin/login/" in response["Location"]


# --- the cancel action, with streams that run -------------------------------------------------


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
    page = await cancel(await admin_client(), *(reader.stream_id for reader in readers))
    assert "2 streams were cancelled." in page
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
    assert "1 had ended before." in page
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


async def test_a_cancel_that_is_refused_is_told_to_the_admin_and_the_others_are_carried_out(
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
    assert f"1 stream ({NO_STREAM}) was not cancelled: There is no such stream." in page
    assert [(await reader.end())["by"] for reader in (first, last)] == ["admin", "admin"]
    assert (await browser.resource(middle.stream_id))["status"] == "running"
    await browser.cancel(middle.stream_id)


async def test_a_cancel_that_breaks_is_told_and_logged_and_the_others_are_carried_out(
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
    monkeypatch.setattr(stream_manager, "CANCEL_WAITS_SECONDS", 1.0)
    monkeypatch.setattr(stream_admin, "CANCELS_AT_ONCE", 2)
    monkeypatch.setattr(stream_admin, "NAMED_AT_MOST", 3)
    readers = await running(browser, play, 5)
    ids = [reader.stream_id for reader in readers]
    client = await admin_client()

    async def wish_nothing(*args: Any, **kwargs: Any) -> None:
        """Their ends do not come."""

    with monkeypatch.context() as patch:
        patch.setattr(stream_manager.StreamManager, "store_intent", wish_nothing)
        begun = time.monotonic()
        page = await cancel(client, *ids)
        assert time.monotonic() - begun < 4  # one after the other they take five
    assert "0 streams were cancelled." in page
    assert "5 streams (" in page
    assert "…) were not cancelled: The stream is being stopped" in page
    assert sum(stream_id in page.partition("</ul>")[0] for stream_id in ids) == 3
    for stream_id in ids:
        await browser.cancel(stream_id)


# --- what the list of streams reads ---------------------------------------------------------


def shown(client: Client, query: str) -> list[str]:
    """Return the ids of the listed rows."""
    response = client.get(STREAMS + query)
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def test_the_list_is_searched_by_id_owner_and_words(operator: Client) -> None:
    ada, bob = put(owner="user:ada", prompt="The Ärger"), put(owner="user:bob", text="sky")
    assert shown(operator, f"?q={ada.pk}") == [ada.pk]
    assert shown(operator, "?q=user:bob") == [bob.pk]
    assert shown(operator, "?q=%C3%A4rger") == [ada.pk]
    assert shown(operator, "?q=SKY") == [bob.pk]
    assert shown(operator, "?q=%25") == []


def test_a_search_of_the_list_looks_through_the_newest_streams_alone(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WINDOW_ROWS", 3)
    old = put(prompt="needle", created_at=timezone.now() - timedelta(days=1))
    new = put(prompt="needle")
    put(), put()
    assert shown(operator, "?q=needle") == [new.pk]
    assert shown(operator, f"?q={old.pk}") == [old.pk]


def test_the_list_counts_so_far_and_no_further(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_admin, "COUNTED_AT_MOST", 3)
    for _ in range(5):
        put()
    response = operator.get(STREAMS)
    assert response.context["cl"].result_count == 3


@pytest.mark.parametrize("query", ["", "?q=a", "?block_type=quiz", "?status__exact=error"])
def test_the_list_asks_for_no_pattern_and_for_no_value_of_all_rows(
    operator: Client, query: str
) -> None:
    put()
    with CaptureQueriesContext(connection) as queries:
        shown(operator, query)
    statements = [each["sql"] for each in queries if "streaming_stream" in each["sql"]]
    assert statements
    assert not [sql for sql in statements if "LIKE" in sql or "DISTINCT" in sql or "MIN(" in sql]
    assert all("LIMIT" in sql for sql in statements if "COUNT(" in sql)


def test_a_list_that_takes_too_long_is_503_and_says_what_to_leave_out(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its statements here are too short to be stopped")
    put()
    monkeypatch.setattr(stream_admin, "LIST_SECONDS", -1.0)
    monkeypatch.setattr(time_limit, "STEPS_BETWEEN_LOOKS", 1)
    response = operator.get(STREAMS)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert b"Leave a filter out" in response.content


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_list_has_a_thread_of_its_own(
    process: Process, make_browser: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    names: list[str] = []
    real = stream_admin.StreamAdmin.has_view_or_change_permission

    def note(self: Any, *args: Any) -> bool:
        names.append(threading.current_thread().name)
        return bool(real(self, *args))

    monkeypatch.setattr(stream_admin.StreamAdmin, "has_view_or_change_permission", note)
    await User.objects.acreate(username="chief", is_staff=True, is_superuser=True)
    chief = await make_browser("chief")
    await chief.call(method, f"{STREAMS}?q=a")
    assert names
    assert all(name.startswith("admin-list-") for name in names)
