"""The admin's look and its lists, grouped by task."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from liveai.lanes import LANES
from operating.lanes import FIGURES
from operating.menu import GROUPS, OTHER, group
from operating.models import ModelPrice
from operating.site import OperatingSite
from streaming.models import Limit, TranscriptRead


def test_the_registered_lists_are_those_of_our_site() -> None:
    assert isinstance(admin.site, OperatingSite)
    assert reverse("admin:index") == "/admin/"


def test_every_list_of_the_site_has_its_group(operator: Client) -> None:
    groups = operator.get("/admin/").context["app_list"]
    names = {each["name"]: [model["object_name"] for model in each["models"]] for each in groups}
    assert OTHER not in names
    assert list(names) == list(GROUPS)
    assert names["Costs"] == ["Spent", "ModelPrice"]


def test_a_list_that_no_group_names_is_not_lost() -> None:
    apps = [
        {"app_label": "streaming", "models": [{"object_name": "Stream"}]},
        {"app_label": "else", "models": [{"object_name": "Thing"}]},
    ]
    assert [(each["name"], len(each["models"])) for each in group(apps, {})] == [
        ("Answers", 1),
        (OTHER, 1),
    ]


def test_the_page_of_an_app_is_djangos(operator: Client) -> None:
    page = operator.get("/admin/streaming/").content.decode()
    assert "/admin/streaming/limit/" in page and "/admin/blocks/" not in page.partition("<main")[2]


@pytest.mark.parametrize(
    "path",
    ["/admin/login/", "/admin/", "/admin/streaming/stream/", "/admin/streaming/limit/add/"],
)
def test_each_page_has_our_styles_last_and_nothing_inline(
    client: Client, admin_user: Any, path: str
) -> None:
    if path != "/admin/login/":
        client.force_login(admin_user)
    page = client.get(path).content.decode()
    styles = re.findall(r'<link rel="stylesheet" href="/static/([^"]+)"', page)
    theme = [
        "frontend/tokens.css",
        *(f"operating/{name}.css" for name in ("admin", "forms", "lists")),
    ]
    ours = styles[styles.index(theme[0]) :]
    assert ours[:4] == theme and not any(style.startswith("admin/") for style in ours)
    assert styles[-len(ours) :] == ours
    assert all(finders.find(style) for style in ours)
    assert re.findall(r"<script(?![^>]* src=)|<style| style=", page) == []
    assert re.search(r"<title>[^<]+ – Live AI Blocks</title>", page)


def test_a_list_is_named_by_its_rows_and_shows_what_it_is_filtered_by(operator: Client) -> None:
    Limit.objects.create(whose=Limit.Whose.ALL, tokens_per_day=2_000_000)
    ModelPrice.objects.create(model="a", input_price="0.25", output_price=100)
    page = operator.get("/admin/streaming/limit/?whose__exact=all").content.decode()
    assert "<title>Limits – " in page and "<h1>Limits</h1>" in page
    assert "<b>everybody together</b>" in page and page.count(' aria-current="true"') == 1
    assert page.index('id="changelist-filter"') < page.index('id="result_list"')
    assert "2,000,000" in page
    prices = operator.get("/admin/operating/modelprice/").content.decode()
    assert re.findall(r'"field-\w+_words">([^<]+)<', prices) == ["0.25", "100"]


def test_times_are_of_24_hours_and_each_of_their_fields_has_a_label(operator: Client) -> None:
    at = datetime(2026, 11, 30, 15, 4, tzinfo=UTC)
    TranscriptRead.objects.create(at=at, reader="ada", reader_key="1", stream_id="x", owner="y")
    assert "30 Nov 2026, 15:04" in operator.get("/admin/streaming/transcriptread/").content.decode()
    page = operator.get("/admin/accounts/invitation/add/").content.decode()
    assert all(f'<label for="id_expires_at_{number}">' in page for number in (0, 1))


def test_an_unknown_address_of_the_admin_has_a_heading_and_a_way_on(operator: Client) -> None:
    response = operator.get("/admin/nothing/here/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "<h1>Page not found</h1>" in page and 'class="button" href="/admin/"' in page


def test_who_may_not_open_a_page_of_the_admin_gets_a_way_back_to_it(staff: Any) -> None:
    response = staff().get("/admin/streaming/stream/")
    assert response.status_code == 403 and '<a href="/admin/">' in response.content.decode()


def test_adding_up_has_a_thread_of_its_own() -> None:
    assert FIGURES in LANES
    for path in ("/admin/", "/admin/spent/"):
        assert FIGURES.takes({"path": path})
        assert FIGURES.takes({"path": f"/ai{path}", "root_path": "/ai"})
    for path in ("/admin/login/", "/", "/admin/streaming/stream/", "/other/admin/"):
        assert not FIGURES.takes({"path": path})
