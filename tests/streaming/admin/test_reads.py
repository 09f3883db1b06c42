"""What staff read in the admin panel is recorded: who, when, which stream, and whose."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from streaming.models import Stream, TranscriptRead
from tests.support.streaming.admin import SECRET, STREAMS, put

READS = "/admin/streaming/transcriptread/"


def page_of(stream: Stream, page: str = "change") -> str:
    return f"{STREAMS}{quote(stream.pk)}/{page}/"


def test_opening_a_transcript_is_recorded_and_logged_without_content(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    row = put(owner="user:7")
    assert SECRET in operator.get(page_of(row)).content.decode()
    reader = User.objects.get(username="operator")
    read = TranscriptRead.objects.get()
    assert (read.reader, read.reader_key) == ("operator", str(reader.pk))
    assert (read.stream_id, read.owner) == (row.pk, "user:7")
    assert timezone.now() - read.at < timedelta(minutes=1)
    line = f"User {reader.pk} read the transcript of stream {row.pk} of user:7."
    assert [each.getMessage() for each in caplog.records].count(line) == 1
    assert SECRET not in caplog.text
    assert SECRET not in str(vars(read))
    operator.get(page_of(row))
    assert TranscriptRead.objects.count() == 2


def test_what_shows_no_transcript_is_no_read(operator: Client) -> None:
    row = put(prompt=f"{'Why? ' * 20}{SECRET}", text=SECRET)
    assert operator.head(page_of(row)).content == b""
    assert SECRET not in operator.get(STREAMS).content.decode()
    for page in ("delete", "history"):
        shown = operator.get(page_of(row, page))
        assert shown.status_code == 200
        assert SECRET not in shown.content.decode()
    confirm = {"action": "delete_selected", "_selected_action": [row.pk]}
    assert SECRET not in operator.post(STREAMS, confirm).content.decode()
    assert operator.get(f"{STREAMS}{'x' * 22}/change/").status_code == 302
    assert operator.post(page_of(row), {"prompt": "x"}).status_code == 403
    assert Client().get(page_of(row)).status_code == 302
    assert not TranscriptRead.objects.exists()


@pytest.mark.parametrize(
    "lookup",
    [
        "prompt__startswith=what",
        "text__regex=x",
        "prompt__gte=a",
        "options__icontains=x",
        "owner__regex=x",
        "code__icontains=x",
    ],
)
def test_the_list_answers_no_other_questions_than_its_filters(
    operator: Client, lookup: str
) -> None:
    put()
    assert operator.get(f"{STREAMS}?{lookup}").status_code == 400
    filters = "status__exact=complete&block_type=tale&created_at__gte=2026-01-01+00:00%2b00:00"
    assert operator.get(f"{STREAMS}?{filters}").status_code == 200


def test_a_page_that_is_refused_is_no_read(staff: Any) -> None:
    row = put()
    assert staff("view_streamingsettings").get(page_of(row)).status_code == 403
    assert not TranscriptRead.objects.exists()


@pytest.mark.parametrize("permission", ["view_stream", "change_stream"])
def test_who_may_only_look_is_recorded_as_well(staff: Any, permission: str) -> None:
    row = put()
    somebody = staff(permission)
    assert row.pk in somebody.get(STREAMS).content.decode()
    assert SECRET in somebody.get(page_of(row)).content.decode()
    assert [read.reader for read in TranscriptRead.objects.all()] == ["staff"]


def test_a_read_that_can_not_be_recorded_does_not_happen(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(TranscriptRead.objects, "create", fail)
    operator.raise_request_exception = False
    answer = operator.get(page_of(put()))
    assert answer.status_code == 500
    assert SECRET not in answer.content.decode()


def test_the_record_survives_the_stream_its_owner_and_the_reader(operator: Client) -> None:
    ada = User.objects.create_user("ada")
    row = put(user=ada, owner=f"user:{ada.pk}")
    operator.get(page_of(row))
    User.objects.all().delete()
    assert not Stream.objects.exists()
    read = TranscriptRead.objects.get()
    assert (read.reader, read.stream_id, read.owner) == ("operator", row.pk, row.owner)


def test_the_records_are_listed_and_can_not_be_changed_or_deleted(admin_client: Client) -> None:
    row = put()
    admin_client.get(page_of(row))
    read = TranscriptRead.objects.get()
    assert "Transcripts read" in admin_client.get("/admin/").content.decode()
    for query in ("", f"?q={row.pk}", "?q=admin"):
        assert row.pk in admin_client.get(READS + query).content.decode()
    assert row.pk not in admin_client.get(f"{READS}?q=nobody").content.decode()
    assert admin_client.get(f"{READS}add/").status_code == 403
    assert admin_client.post(f"{READS}{read.pk}/change/", {"reader": "x"}).status_code == 403
    assert admin_client.post(f"{READS}{read.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(
        READS, {"action": "delete_selected", "_selected_action": [read.pk], "post": "yes"}
    )
    assert list(TranscriptRead.objects.values("reader")) == [{"reader": "admin"}]


@pytest.mark.parametrize(
    ("right", "status"),
    [("view_stream", 403), ("view_transcriptread", 200), ("change_transcriptread", 200)],
)
def test_the_list_is_for_those_who_may_view_it(staff: Any, right: str, status: int) -> None:
    assert staff(right).get(READS).status_code == status
