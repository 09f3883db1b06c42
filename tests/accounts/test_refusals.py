"""A form that was used too often: how long it stays refused, and what its page keeps."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.core.internal import ratelimit
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse

from liveai.accounts import rates
from liveai.accounts.policy import RATES

from .conftest import PASSWORD

NAME = "/account/name/"
SIGN_IN = "/account/login/"
SIGN_UP = "/account/signup/"
RESET = "/account/password/reset/"
WITHOUT_A_PAGE = {"login_failed", "confirm_email"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time of the rates, in seconds; a test moves it."""
    clock = SimpleNamespace(now=1_800_000_000.0)
    fake = SimpleNamespace(time=lambda: clock.now, monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr(ratelimit, "time", fake)
    monkeypatch.setattr(rates, "time", fake)
    return clock


@pytest.fixture
def own(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def inputs_of(page: HttpResponse) -> dict[str, str]:
    """Return the values of the fields on a page, without the token."""
    found = re.findall(r'<input [^>]*name="(\w+)"[^>]* value="([^"]*)"', page.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_every_rate_has_its_pages() -> None:
    assert set(rates.ACTIONS.values()) == set(RATES) - WITHOUT_A_PAGE
    values = {"account_reset_password_from_key": ("1", "x"), "account_invitation": ("x",)}
    for name in rates.ACTIONS:
        assert resolve(reverse(name, args=values.get(name, ()))).view_name == name


# --- how long -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "used_at", "seconds"),
    [
        ("2/m/user", [0, 0], 60),
        ("2/h/user", [0, 10], 3590),
        ("3/15m/user", [0, 100, 200], 700),  # asked at 200
        ("2/m/user,3/h/user", [0, 300, 320], 3280),  # the longer one
        ("2/m/user,3/h/user", [0, 3590, 3591], 59),  # the shorter one ends last
    ],
)
def test_a_refusal_says_when_the_next_try_is_accepted_and_it_is(
    own: Client, settings: Any, clock: Any, rate: str, used_at: list[float], seconds: int
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"change_name": rate}
    start = clock.now
    for at in used_at:
        clock.now = start + at
        assert own.post(NAME, {"name": ""}).status_code == 200
    refused = own.post(NAME, {"name": "eve"})
    assert (refused.status_code, refused["Retry-After"]) == (429, str(seconds))
    until = clock.now + seconds
    clock.now = until - 1.5
    refused = own.post(NAME, {"name": "eve"})
    assert (refused.status_code, refused["Retry-After"]) == (429, "2"), "tries do not prolong it"
    clock.now = until
    assert own.post(NAME, {"name": "eve"}).status_code == 302


def test_the_rate_of_an_address_that_asks_for_resets_counts_too(
    client: Client, settings: Any, clock: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip,1/h/key"}
    assert client.post(RESET, {"email": "eve@example.org"}).status_code == 302
    clock.now += 600
    refused = client.post(RESET, {"email": " EVE@example.org "})
    assert (refused.status_code, refused["Retry-After"]) == (429, "3000")
    assert client.post(RESET, {"email": "bob@example.org"}).status_code == 302


def test_a_form_that_is_repeated_after_the_password_says_its_own_time(
    own: Client, settings: Any, clock: Any
) -> None:
    """allauth repeats it under the address of the page that asks for the password."""
    settings.ACCOUNT_RATE_LIMITS = {"manage_email": "1/h/user", "reauthenticate": "9/m/user"}
    form = {"email": "new@example.org", "action_add": ""}
    asked = own.post("/account/email/", form)
    assert own.post(asked["Location"], {"password": PASSWORD}).status_code == 302
    own.post("/account/logout/")
    own.force_login(User.objects.get())
    clock.now += 60
    asked = own.post("/account/email/", form)
    refused = own.post(asked["Location"], {"password": PASSWORD})
    assert (refused.status_code, refused["Retry-After"]) == (429, "3540")
    assert inputs_of(refused) == form
    assert 'action="/account/email/"' in refused.content.decode()


def test_what_is_refused_without_a_full_rate_may_be_tried_at_once(
    own: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is where other requests keep allauth's lock for too long."""
    settings.ACCOUNT_RATE_LIMITS = {"change_name": "5/h/user"}
    monkeypatch.setattr(ratelimit, "CACHE_LOCK_WAIT_TIMEOUT", 0)
    monkeypatch.setattr(ratelimit.cache, "add", lambda *_, **__: False)
    refused = own.post(NAME, {"name": "eve"})
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")


# --- what is kept -------------------------------------------------------------------------------


def test_a_sign_in_keeps_the_name_and_the_way_back_and_never_the_password(
    ada: User, client: Client, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    typed = {"login": "ada", "password": "wrong <secret>", "next": "/history"}
    refused = client.post(SIGN_IN, typed)
    page = refused.content.decode()
    assert refused.status_code == 429
    assert inputs_of(refused) == {"login": "ada", "password": "", "next": "/history"}
    assert "secret" not in page
    assert f'<form method="post" action="{SIGN_IN}">' in page
    assert "csrfmiddlewaretoken" in page
    settings.AXES_FAILURE_LIMIT = 9
    again = client.post(SIGN_IN, {**inputs_of(refused), "password": PASSWORD})
    assert (again.status_code, again["Location"]) == (302, "/history")


def test_a_sign_up_keeps_all_but_the_password(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/h/ip"}
    typed = {"username": "e<v>e", "email": "eve@example.org", "password1": "open sesame"}
    client.post(SIGN_UP, {})
    refused = client.post(SIGN_UP, typed)
    kept = {"username": "e&lt;v&gt;e", "email": "eve@example.org", "password1": ""}
    assert inputs_of(refused) == kept
    assert "sesame" not in refused.content.decode()


def test_the_admin_s_sign_in_is_repeated_there(ada: User, client: Client, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    data = {"username": "ada", "password": "wrong", "next": "/admin/"}
    refused = client.post("/admin/login/?next=/admin/", data)
    assert inputs_of(refused) == {"username": "ada", "password": "", "next": "/admin/"}
    assert 'action="/admin/login/?next=/admin/"' in refused.content.decode()


@pytest.mark.parametrize("path", ["/account/password/change/", "/account/reauthenticate/"])
def test_a_form_of_passwords_alone_is_only_opened_again(
    own: Client, settings: Any, path: str
) -> None:
    settings.ACCOUNT_RATE_LIMITS = dict.fromkeys(["change_password", "reauthenticate"], "1/h/user")
    data = {"password": "sesame", "oldpassword": "sesame", "password1": "sesame", "name": "x"}
    own.post(path, data)
    refused = own.post(f"{path}?next=/account/", data)
    page = refused.content.decode()
    assert refused.status_code == 429
    assert f'<form method="get" action="{path}?next=/account/">' in page
    assert inputs_of(refused) == {"next": "/account/"}
    assert "sesame" not in page


def test_what_no_form_would_accept_is_not_kept(own: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"change_name": "1/h/user"}
    own.post(NAME, {})
    assert inputs_of(own.post(NAME, {"name": "x" * 301})) == {}


def test_a_link_that_was_opened_too_often_is_opened_again(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"invitation": "1/h/ip"}
    path = "/account/invitation/guess/"
    client.get(path)
    refused = client.get(path)
    assert f'<form method="get" action="{path}">' in refused.content.decode()


def test_the_page_needs_no_script_and_runs_none_of_its_own(own: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"change_name": "1/15m/user"}
    own.post(NAME, {})
    refused = own.post(NAME, {"name": "eve"})
    page = refused.content.decode()
    assert re.search(r"Please try again in <b>(15 minutes|14 minutes \d+ seconds)</b>\.", page)
    assert re.findall(r"<script(?![^>]* src=)| on[a-z]+=", page) == []
    assert re.search(r'<script src="[^"]*/frontend/countdown\.js" defer></script>', page)
    assert "no-store" in refused["Cache-Control"]
    assert "<button" in page and "disabled" not in page.partition("<button")[2]
