"""Who opened the list of streams, which shows how prompts begin, or searched it, is recorded."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from streaming.models import ListRead
from streaming.models.reads import LIST, SEARCH
from tests.support.streaming.admin import SECRET, STREAMS, put

READS = "/admin/streaming/listread/"
WORDS = "nobody else"


def recorded() -> list[tuple[str, str]]:
    return list(ListRead.objects.order_by("pk").values_list("what", "owner"))


def look(client: Client, **query: str) -> str:
    response = client.get(f"{STREAMS}?{urlencode(query)}")
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_list_is_recorded_once_an_hour_for_each_of_the_staff_and_each_owner(
    operator: Client, admin_client: Client
) -> None:
    put(owner="user:1")
    put(owner="user:2")
    for _ in range(2):
        assert SECRET in look(operator)
        look(operator, p="1", o="1")
        look(operator, owner="user:2")
        look(operator, q="user:2")  # the same by the search field
    assert recorded() == [(LIST, ""), (LIST, "user:2")]
    read = ListRead.objects.first()
    reader = User.objects.get(username="operator")
    assert read and (read.reader, read.reader_key) == ("operator", str(reader.pk))
    look(admin_client)
    assert [each.reader for each in ListRead.objects.filter(owner="")] == ["admin", "operator"]
    ListRead.objects.update(at=timezone.now() - timedelta(minutes=61))
    look(operator)
    assert ListRead.objects.count() == 4


def test_each_search_by_words_is_recorded_whatever_it_finds_and_without_the_words(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="streaming")
    row = put(owner="user:1")
    look(operator)
    assert row.pk in look(operator, q=WORDS)
    assert row.pk not in look(operator, q="nothing like it")
    look(operator, q=WORDS, owner="user:1")
    searches = [(SEARCH, ""), (SEARCH, ""), (SEARCH, "user:1")]
    assert [each for each in recorded() if each[0] == SEARCH] == searches
    reader = User.objects.get(username="operator")
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count(f"User {reader.pk} searched the streams of everybody by words.") == 2
    kept = caplog.text + str(list(ListRead.objects.values()))
    assert WORDS not in kept and "nothing like" not in kept


def test_a_search_by_id_or_owner_is_no_search_by_words(operator: Client) -> None:
    one, other = put(owner="user:1"), put(owner="user:2", prompt="x")
    page = look(operator, q=one.pk)
    assert (one.pk in page, other.pk in page) == (True, False)
    look(operator, q=f" {other.owner} ")
    assert SEARCH not in dict(recorded())
    look(operator, q="x" * 22)
    assert SEARCH in dict(recorded()), "an id of nothing may be a word"


@pytest.mark.parametrize("owner", [WORDS, "line\nbreak", "nul\0", "x" * 500])
def test_words_in_the_place_of_an_owner_are_not_kept(operator: Client, owner: str) -> None:
    put()
    operator.raise_request_exception = False
    operator.get(f"{STREAMS}?{urlencode({'owner': owner})}")
    operator.get(f"{STREAMS}?{urlencode({'owner': owner, 'q': 'tea'})}")
    assert {owner for _, owner in recorded()} <= {""}


def test_a_form_that_only_shows_the_list_is_recorded_as_well(operator: Client) -> None:
    put()
    assert SECRET in operator.post(STREAMS, {}).content.decode()
    assert recorded() == [(LIST, "")]
    assert SECRET in operator.post(f"{STREAMS}?q={WORDS}", {}).content.decode()
    assert (SEARCH, "") in recorded()


def test_what_shows_no_prompt_is_not_recorded(operator: Client, staff: Any) -> None:
    row = put()
    assert operator.head(STREAMS).content == b""
    action = {"action": "delete_selected", "_selected_action": [row.pk]}
    assert operator.post(STREAMS, action).status_code == 200
    assert recorded() == []
    operator.head(f"{STREAMS}?q={WORDS}")
    assert recorded() == [(SEARCH, "")], "its length would tell what was found"
    assert staff("view_streamingsettings").get(f"{STREAMS}?q=a").status_code == 403
    assert Client().get(f"{STREAMS}?q=a").status_code == 302
    assert ListRead.objects.count() == 1


def test_a_look_that_can_not_be_recorded_does_not_happen(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise DatabaseError

    put()
    monkeypatch.setattr(ListRead.objects, "create", fail)
    operator.raise_request_exception = False
    for query in ("", f"?q={WORDS}"):
        answer = operator.get(STREAMS + query)
        assert answer.status_code == 500
        assert SECRET not in answer.content.decode()


def test_the_records_are_listed_and_can_not_be_changed_or_deleted(admin_client: Client) -> None:
    put(owner="user:7")
    look(admin_client, owner="user:7")
    look(admin_client, q=WORDS)
    read = ListRead.objects.get(what=SEARCH)
    assert "Lists read and searched" in admin_client.get("/admin/").content.decode()
    page = admin_client.get(READS).content.decode()
    assert "<h1>Lists read and searched</h1>" in page
    for said in ("opened the list", "searched by words", "user:7", "everybody", "admin"):
        assert said in page
    assert "user:7" in admin_client.get(f"{READS}?q=user:7").content.decode()
    assert admin_client.get(f"{READS}add/").status_code == 403
    assert admin_client.post(f"{READS}{read.pk}/change/", {"reader": "x"}).status_code == 403
    assert admin_client.post(f"{READS}{read.pk}/delete/", {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [read.pk], "post": "yes"}
    admin_client.post(READS, action)
    assert ListRead.objects.filter(reader="admin").count() == 3


@pytest.mark.parametrize(("right", "status"), [("view_stream", 403), ("view_listread", 200)])
def test_the_records_are_for_those_who_may_view_them(staff: Any, right: str, status: int) -> None:
    assert staff(right).get(READS).status_code == status
