"""The admin's look and its lists, grouped by task."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from liveai.lanes import LANES
from operating.lanes import FIGURES
from operating.menu import GROUPS, OTHER, group
from operating.site import OperatingSite


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


def test_adding_up_has_a_thread_of_its_own() -> None:
    assert FIGURES in LANES
    for path in ("/admin/", "/admin/spent/"):
        assert FIGURES.takes({"path": path})
        assert FIGURES.takes({"path": f"/ai{path}", "root_path": "/ai"})
    for path in ("/admin/login/", "/", "/admin/streaming/stream/", "/other/admin/"):
        assert not FIGURES.takes({"path": path})
