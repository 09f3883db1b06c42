"""The list of streams in the admin panel: who may do what, and what it reads."""

from __future__ import annotations

import logging
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.admin import deleting, filters, paginator
from streaming.admin import streams as admin_streams
from streaming.database import search, time_limit
from streaming.models import ListRead, Stream
from streaming.process import Process
from tests.support.streaming.admin import SECRET, STREAMS, put

# --- who may do what ---------------------------------------------------------------------


def test_streams_can_be_looked_at_and_not_edited(operator: Client) -> None:
    row = put()
    assert row.pk in operator.get(STREAMS).content.decode()
    page = operator.get(f"{STREAMS}{quote(row.pk)}/change/")
    assert page.status_code == 200
    assert page.context["adminform"].form.fields == {}
    response = operator.post(f"{STREAMS}{quote(row.pk)}/change/", {"prompt": "changed"})
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
    assert (
        operator.post(f"{STREAMS}{quote(running.pk)}/delete/", {"post": "yes"}).status_code == 403
    )
    assert operator.post(f"{STREAMS}{quote(ended.pk)}/delete/", {"post": "yes"}).status_code == 302
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


def test_of_the_selected_streams_those_that_run_are_kept(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "streaming")
    ended, running = put(), put(status="running", ended_at=None)
    data = {"action": "delete_selected", "_selected_action": [ended.pk, running.pk]}
    page = operator.post(STREAMS, data).content.decode()
    assert "1 ended stream would be deleted" in page
    assert "1 of those selected is still running" in page
    assert "admin/css/forms.css" in page
    assert SECRET not in page
    assert Stream.objects.count() == 2
    page = operator.post(STREAMS, {**data, "post": "yes"}, follow=True).content.decode()
    assert "Successfully deleted 1 stream." in page and "1 stream was not deleted" in page
    assert [row.pk for row in Stream.objects.all()] == [running.pk]
    assert f"User {User.objects.get().pk} deleted 1 streams." in caplog.text


def test_a_delete_of_everything_takes_so_many_rows_and_no_more(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "DELETED_AT_MOST", 2)
    now = timezone.now()
    rows = [put(created_at=now - timedelta(hours=hours)) for hours in range(5)]
    chosen = {"action": "delete_selected", "_selected_action": rows[0].pk, "select_across": "1"}
    page = operator.post(STREAMS, chosen).content.decode()
    assert "You selected more than 2 streams." in page
    named = re.findall(r'name="_selected_action" value="([^"]+)"', page)
    assert named == [rows[0].pk, rows[1].pk]
    sent = {"action": "delete_selected", "_selected_action": named, "post": "yes"}
    operator.post(STREAMS, sent)
    left = Stream.objects.order_by("-created_at").values_list("pk", flat=True)
    assert list(left) == [row.pk for row in rows[2:]]
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 2
    operator.post(STREAMS, {**chosen, "post": "yes"})
    assert Stream.objects.count() == 1


def test_who_may_not_delete_is_not_offered_it(staff: Any) -> None:
    row, somebody = put(), staff("view_stream")
    data = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    assert "delete_selected" not in somebody.get(STREAMS).content.decode()
    somebody.post(STREAMS, data)
    assert Stream.objects.exists()


def test_the_streams_are_for_those_who_may_view_them(staff: Any) -> None:
    row = put()
    somebody = staff("view_streamingsettings")
    for path in (STREAMS, f"{STREAMS}{quote(row.pk)}/change/"):
        assert somebody.get(path).status_code == 403


def test_who_may_only_look_is_not_offered_to_cancel(staff: Any) -> None:
    row = put(status="running", ended_at=None)
    somebody = staff("view_stream")
    assert 'value="cancel"' not in somebody.get(STREAMS).content.decode()
    data = {"action": "cancel", "_selected_action": [row.pk]}
    somebody.post(STREAMS, data)
    assert Stream.objects.get().cancel_intent == ""


# --- the columns and the filters ------------------------------------------------------------


def test_the_list_begins_with_the_prompt_and_the_status_and_reads_no_more_of_the_contents(
    operator: Client,
) -> None:
    ada = User.objects.create_user("ada")
    error = {"type": "error", "seq": 0, "code": "provider_timeout", "message": "Slow."}
    put(
        prompt=f"  Why is\n{'very ' * 30}the end", text=SECRET, options={"tone": SECRET}, user=ada,
        owner=f"user:{ada.pk}", status="error", code="provider_timeout", terminal=error,
        input_tokens=1_200, output_tokens=7,
    )  # fmt: skip
    put(prompt="", owner="anonymous:x")
    with CaptureQueriesContext(connection) as queries:
        page = operator.get(STREAMS).content.decode()
    for said in (f"Why is {'very ' * 14}", "provider_timeout", ">ada</a>", "1,200 + 7", ">error<"):
        assert said in page
    assert SECRET not in page
    assert "the end" not in page
    heads = re.findall(r'class="(?:sortable )?column-(\w+)', page)
    assert heads[:3] == ["asked", "state", "code"]
    read = [each["sql"] for each in queries if '"streaming_stream"."owner"' in each["sql"]]
    assert read
    for column in ("text", "options", "terminal", "items", "result"):
        assert not [sql for sql in read if f'"streaming_stream"."{column}"' in sql]


FOUND = {
    "status=error": "failed",
    "code=provider_timeout": "failed",
    "code=stop": "whole",
    "block_type=tale": "running",
    "owner=user%3Aada": "whole",
    "created_at__gte=2026-01-02T00:00:00Z&created_at__lt=2026-01-03T00:00:00Z": "failed",
    "code=provider_timeout&created_at__lt=2026-01-02T00:00:00%2B00:00": "",
    "code=none_such": "",
}


@pytest.mark.parametrize("query", FOUND)
def test_the_list_takes_the_filters_that_other_pages_link_to(operator: Client, query: str) -> None:
    day = datetime(2026, 1, 2, 12, tzinfo=UTC)
    names = {
        put(block_type="quiz", owner="user:ada", code="stop").pk: "whole",
        put(
            block_type="quiz", status="error", code="provider_timeout", created_at=day
        ).pk: "failed",
        put(status="running", ended_at=None).pk: "running",
    }
    assert " ".join(names[each] for each in shown(operator, f"?{query}")) == FOUND[query]
    page = operator.get(f"{STREAMS}?{query}").content.decode()
    assert "Clear all filters" in page


def test_a_wrong_date_is_no_server_error(operator: Client) -> None:
    assert operator.get(f"{STREAMS}?created_at__gte=yesterday").status_code == 302


def test_the_filter_of_codes_offers_those_of_the_newest_streams(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "CODES_OF_NEWEST", 2)
    put(code="internal", created_at=timezone.now() - timedelta(days=1))
    put(code="stop"), put(status="running", ended_at=None)
    page = operator.get(STREAMS).content.decode()
    assert "?code=stop" in page
    assert "?code=internal" not in page
    assert "?code=internal" in operator.get(f"{STREAMS}?code=internal").content.decode()


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


def test_the_list_is_searched_by_the_name_and_the_address_of_an_owner(operator: Client) -> None:
    ada = User.objects.create_user("root1", "Ada@example.org")
    User.objects.create_user("sky")  # who has asked nothing
    hers, other = put(owner=f"user:{ada.pk}", user=ada), put(owner="user:bob", text="sky root1")
    assert shown(operator, "?q=root1") == [hers.pk]
    assert shown(operator, "?q=ada@example.ORG") == [hers.pk]
    assert shown(operator, "?q=root1+complete") == [hers.pk]
    assert shown(operator, '?q="root1"') == [other.pk]
    assert shown(operator, "?q=sky") == [other.pk]
    recorded = ListRead.objects.values_list("owner", flat=True)
    assert list(recorded.filter(owner=f"user:{ada.pk}")) == [f"user:{ada.pk}"]


SEARCHED = {
    "error": "failed",
    "Provider_Rejected": "failed",
    "error internal": "",
    "error cancelled": "failed stopped",
    "owner": "stopped",
    "error sky": "failed",
    "sky stop": "whole",
    "sky": "failed whole",
    "user:ada stop": "whole",
    "how to stop a car": "asked",
    '"how to stop"': "asked",
    '"stop"': "asked",
    '""': "",
}


@pytest.mark.parametrize("words", SEARCHED)
def test_the_list_is_searched_by_status_and_code_too(operator: Client, words: str) -> None:
    names = {
        put(prompt="The sky", owner="user:ada", code="stop").pk: "whole",
        put(prompt="The sky", status="error", code="provider_rejected").pk: "failed",
        put(prompt="The sea", status="cancelled", code="owner").pk: "stopped",
        put(prompt="How to stop a car", code="length").pk: "asked",
    }
    found = sorted(names[each] for each in shown(operator, f"?{urlencode({'q': words})}"))
    assert " ".join(found) == SEARCHED[words]


def test_a_status_or_code_alone_reads_no_texts(operator: Client) -> None:
    put(status="error", code="internal")

    def reads(words: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(operator, f"?q={words}")
        return sum('"streaming_stream"."text"' in each["sql"] for each in queries)

    assert [reads(words) for words in ("sky", "error", "internal", "error+sky")] == [1, 0, 0, 2]


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
    monkeypatch.setattr(paginator, "COUNTED_AT_MOST", 3)
    for _ in range(5):
        put()
    response = operator.get(STREAMS)
    assert response.context["cl"].result_count == 3
    page = response.content.decode()
    assert "3+ streams" in page
    assert "3+ results" in operator.get(f"{STREAMS}?q=complete").content.decode()
    assert "Select all 3" not in page
    monkeypatch.setattr(paginator, "COUNTED_AT_MOST", 5)
    monkeypatch.setattr(admin_streams.StreamAdmin, "list_per_page", 2)
    page = operator.get(STREAMS).content.decode()
    assert "5 streams" in page and "5+" not in page
    assert "Select all 5 streams" in page


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
    monkeypatch.setattr(admin_streams, "LIST_SECONDS", -1.0)
    monkeypatch.setattr(time_limit, "STEPS_BETWEEN_LOOKS", 1)
    response = operator.get(STREAMS)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert b"Remove a filter" in response.content


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_list_has_a_thread_of_its_own(
    process: Process, make_browser: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    names: list[str] = []
    real = admin_streams.StreamAdmin.has_view_or_change_permission

    def note(self: Any, *args: Any) -> bool:
        names.append(threading.current_thread().name)
        return bool(real(self, *args))

    monkeypatch.setattr(admin_streams.StreamAdmin, "has_view_or_change_permission", note)
    await User.objects.acreate(username="chief", is_staff=True, is_superuser=True)
    chief = await make_browser("chief")
    await chief.call(method, f"{STREAMS}?q=a")
    assert names
    assert all(name.startswith("admin-list-") for name in names)
