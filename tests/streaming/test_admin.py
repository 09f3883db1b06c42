"""The switches and block types in the admin panel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from blocks.models import BlockType
from streaming.models import Stream, StreamingSettings
from streaming.switches import current_switches
from tests.support.servers.admin_browser import FormReader
from tests.support.streaming.admin import SETTINGS, STREAMS


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
    response = operator.post(f"{SETTINGS}1/change/", {**fields_of(operator), **data})
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
    settings.STREAMING_BACKEND, settings.AI_STREAMING_FALLBACK = "sse", True
    assert current_switches().enabled
    StreamingSettings().save()
    data = {"enabled": "False", "backend": "", "fallback": "", "message": ""}
    operator.post(f"{SETTINGS}1/change/", data)
    assert not current_switches().enabled
    page = operator.get(f"{SETTINGS}1/change/").content.decode()
    for said in (
        "<strong>off</strong>. The environment says on (<code>AI_STREAMING_ENABLED</code>).",
        "<strong>SSE</strong>. The environment says SSE (<code>STREAMING_BACKEND</code>).",
        "<strong>on</strong>. The environment says on (<code>AI_STREAMING_FALLBACK</code>).",
    ):
        assert said in page


def fields_of(client: Client) -> dict[str, str]:
    """Return what a browser sends that opened the form and changed nothing."""
    page = client.get(f"{SETTINGS}1/change/").content.decode()
    fields = FormReader(page[page.index('id="streamingsettings_form"') :]).fields
    return {name: value for name, value in fields.items() if name}


def test_an_older_form_keeps_what_others_saved_meanwhile(operator: Client) -> None:
    StreamingSettings(message="before", enabled=True).save()
    older = fields_of(operator)
    until = datetime(2990, 1, 2, 12, tzinfo=UTC)
    StreamingSettings(paused=True, message="before", message_until=until, enabled=False).save()
    operator.post(f"{SETTINGS}1/change/", {**older, "message": "after"})
    row = StreamingSettings.objects.get()
    assert (row.paused, row.message, row.message_until) == (True, "after", until)
    assert row.enabled is False
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == "Changed Message."
    unchanged = fields_of(operator)
    assert unchanged["paused"] == unchanged["initial-paused"].replace("True", "on") == "on"


def test_a_notice_has_a_window_and_the_form_says_whether_it_is_shown(operator: Client) -> None:
    StreamingSettings().save()
    window = {"message": "Back soon.", "message_from_0": "2020-01-01", "message_from_1": "12:00"}
    for until, said in ((1990, None), (2020, "No longer shown."), (2990, "Visitors see it.")):
        sent = {**window, "message_until_0": f"{until}-01-02", "message_until_1": "12:00"}
        response = operator.post(f"{SETTINGS}1/change/", sent, follow=True)
        if said is None:
            errors = response.context["adminform"].form.errors
            assert errors == {"message_until": ["Choose a time after “shown from”."]}
        else:
            assert said in operator.get(f"{SETTINGS}1/change/").content.decode()
    operator.post(f"{SETTINGS}1/change/", {**window, "message_from_0": "2990-01-01"})
    assert "Not shown yet." in operator.get(f"{SETTINGS}1/change/").content.decode()


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


# --- without an account -----------------------------------------------------------------


def test_the_public_is_sent_to_sign_in(client: Client, db: None) -> None:
    for path in (STREAMS, SETTINGS, reverse("admin:index")):
        response = client.get(path)
        assert response.status_code == 302
        assert "/admin/login/" in response["Location"]
