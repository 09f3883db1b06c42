"""What staff can send to the admin: every list compares its own filters only, and no NUL passes."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from operating.client_input import OwnFilters
from tests.support.streaming.admin import SETTINGS, STREAMS, put

LISTS = {
    f"admin:{found.opts.app_label}_{found.opts.model_name}_changelist": found
    for found in admin.site._registry.values()
}
WRONG = {"regex": "^(a%2B)%2B$", "iregex": "(", "contains": "a", "year": "9" * 12}


def test_no_list_takes_a_pattern_or_a_huge_number(operator: Client) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get()
    for found in LISTS.values():
        assert isinstance(found, OwnFilters)
        for field in found.opts.fields:
            for lookup in WRONG:
                assert not found.lookup_allowed(f"{field.name}__{lookup}", "1", request)
    for lookup, value in WRONG.items():
        for url in (
            f"{STREAMS}?created_at__{lookup}={value}",
            f"{STREAMS}?block_type__{lookup}={value}",
            f"/admin/auth/user/?username__{lookup}={value}",
        ):
            assert operator.get(url).status_code == 400, url


def test_every_filter_that_a_list_offers_still_works(operator: Client) -> None:
    put()
    request = RequestFactory().get("/")
    request.user = User.objects.get()
    followed = 0
    for name, found in LISTS.items():
        url = reverse(name)
        if not found.get_list_filter(request):
            continue
        shown = operator.get(url).context["cl"]
        for filtered in shown.filter_specs:
            for choice in filtered.choices(shown):
                assert operator.get(url + choice["query_string"]).status_code == 200, choice
                followed += 1
    assert followed > 30


@pytest.mark.parametrize(
    "path",
    [
        f"{STREAMS}?q=a%00",
        f"{STREAMS}?owner=%00",
        f"{STREAMS}?a%00=b",
        f"{STREAMS}a%00b/change/",
        "/admin/auth/user/?q=%00",
        "/admin/spent/?who=a%00",
        "/admin/?period=%00",
    ],
)
def test_a_nul_in_an_address_is_a_bad_request(operator: Client, path: str) -> None:
    assert operator.get(path).status_code == 400


def test_a_nul_in_a_form_is_a_bad_request_and_saves_nothing(operator: Client) -> None:
    row = put()
    chosen = {"action": "delete_selected", "_selected_action": [row.pk, "\0"], "post": "yes"}
    for path, sent in ((STREAMS, chosen), (f"{SETTINGS}1/change/", {"message": "a\0b"})):
        assert operator.post(path, sent).status_code == 400
    assert not LogEntry.objects.exists()


def test_who_is_not_signed_in_is_led_to_the_form_whatever_was_sent(client: Client) -> None:
    assert client.get(f"{STREAMS}?q=%00").status_code == 302


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "99999-01-01", "x"]
)
def test_a_date_out_of_bounds_is_no_server_error(operator: Client, value: str) -> None:
    put()
    for lookup in ("gte", "lt", "exact"):
        found = operator.get(f"{STREAMS}?created_at__{lookup}={value}")
        assert found.status_code in (200, 302, 400), lookup
