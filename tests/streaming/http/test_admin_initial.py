"""An add form opens with whatever is in its address."""

from __future__ import annotations

import pytest
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from liveai.accounts.models import Invitation
from streaming.models import Limit

NONSENSE = ["zzz", "9" * 30, "a\0b", "-1", "", "2026-13-45", "{"]


@pytest.mark.parametrize("model", [Limit, Invitation])
def test_values_that_no_field_takes_are_left_out(
    admin_client: Client, model: type[Limit] | type[Invitation]
) -> None:
    path = reverse(admin_urlname(model._meta, "add"))  # type: ignore[arg-type]
    names = [field.name for field in model._meta.fields]
    for value in NONSENSE:
        status = 400 if "\0" in value else 200
        assert admin_client.get(path, dict.fromkeys(names, value)).status_code == status


def test_values_that_fit_are_kept(admin_client: Client, admin_user: User) -> None:
    query = {"whose": Limit.Whose.USER, "user": admin_user.pk}
    page = admin_client.get("/admin/streaming/limit/add/", query)
    assert page.context["adminform"].form.initial == {key: str(query[key]) for key in query}
