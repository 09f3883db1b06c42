"""The account's page of API tokens."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from liveai.api_tokens.making import TOKENS_AT_MOST, make_token
from liveai.api_tokens.models import ApiToken
from streaming.access.tokens import TOKEN, find_token

from .conftest import PASSWORD

PAGE, REVOKE = "/account/tokens/", "/account/tokens/revoke/"
NEW = {"name": "Backup", "scope": "ask", "expiry": "90"}


def make(user: User, name: str = "Script", **changes: Any) -> tuple[ApiToken, str]:
    return make_token(user.pk, **{"name": name, "scope": "ask", "days": 90, **changes})


def secrets_in(page: Any) -> list[str]:
    return TOKEN.findall(page.content.decode())


def test_a_token_is_shown_once_and_works(ada: User, own: Client) -> None:
    made = own.post(PAGE, NEW)
    (secret,) = secrets_in(made)
    assert f'readonly value="{secret}"' in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    row = find_token(secret)
    assert (row.user, row.name, row.scope) == (ada, "Backup", "ask")
    assert row.expiry - row.created == pytest.approx(timedelta(days=90), abs=timedelta(seconds=5))
    listed = own.get(PAGE)
    assert secrets_in(listed) == []
    assert "Backup" in listed.content.decode() and secret[:15] in listed.content.decode()
    assert row.digest not in listed.content.decode()
    assert ">1<" in own.get("/account/").content.decode()


def test_never_is_chosen_and_not_the_default(ada: User, own: Client) -> None:
    form = own.get(PAGE).content.decode()
    assert re.search(r'<option value="90" selected>', form)
    own.post(PAGE, {**NEW, "expiry": "never"})
    assert ApiToken.objects.get().expiry is None
    assert "Never expires" in own.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 61},
        {"name": "a\0b"},
        {"scope": "admin"},
        {"expiry": "100000"},
        {"expiry": ""},
    ],
)
def test_what_can_not_be_meant_makes_none(own: Client, wrong: dict[str, str]) -> None:
    page = own.post(PAGE, {**NEW, **wrong})
    assert page.status_code == 200
    assert 'class="errorlist"' in page.content.decode()
    assert ApiToken.objects.count() == 0


def test_a_reload_makes_no_second_one(own: Client) -> None:
    own.post(PAGE, NEW)
    again = own.post(PAGE, NEW)
    assert "You already have a token with this name." in again.content.decode()
    assert secrets_in(again) == []
    assert ApiToken.objects.count() == 1


def test_there_is_a_largest_number(ada: User, own: Client, django_user_model: Any) -> None:
    eve = User.objects.create(username="eve")
    for number in range(TOKENS_AT_MOST):
        make(eve, f"{number}")
        make(ada, f"{number}") if number else own.post(PAGE, NEW)
    page = own.post(PAGE, {**NEW, "name": "One more"}).content.decode()
    assert "Revoke one to make another." in page
    assert "New token" not in page
    assert ApiToken.objects.filter(user=ada).count() == TOKENS_AT_MOST


def test_the_password_comes_first_and_then_the_token(ada: User, client: Client) -> None:
    client.force_login(ada)
    asked = client.post(PAGE, NEW)
    assert asked["Location"].startswith("/account/reauthenticate/")
    assert ApiToken.objects.count() == 0
    (secret,) = secrets_in(client.post(asked["Location"], {"password": PASSWORD}))
    assert find_token(secret).user == ada


def test_a_revoked_token_is_gone(ada: User, own: Client) -> None:
    token, _ = make(ada)
    kept, _ = make(ada, "Kept")
    page = own.post(REVOKE, {"token": token.token_key}, follow=True)
    assert "“Script” is revoked." in page.content.decode()
    assert list(ApiToken.objects.all()) == [kept]


def test_nobody_sees_or_revokes_another_s_tokens(ada: User, own: Client) -> None:
    token, _ = make(User.objects.create(username="eve"), "Eve’s")
    assert "Eve’s" not in own.get(PAGE).content.decode()
    for key in (token.token_key, token.digest, "", "\0", "x" * 9999):
        own.post(REVOKE, {"token": key})
    assert ApiToken.objects.count() == 1


def test_one_that_expired_is_still_listed_and_says_so(ada: User, own: Client) -> None:
    make(ada)
    ApiToken.objects.update(expiry=timezone.now() - timedelta(days=1))
    assert "Expired" in own.get(PAGE).content.decode()


@pytest.mark.parametrize("path", [PAGE, REVOKE])
def test_a_visitor_signs_in_first(client: Client, path: str) -> None:
    call = client.get if path == PAGE else client.post
    assert call(path)["Location"].startswith("/account/login/")


def test_a_name_is_shown_as_text(ada: User, own: Client) -> None:
    make(ada, "<script>x")
    assert "<script>x" not in own.get(PAGE).content.decode()


def test_too_many_in_a_minute_are_refused(own: Client) -> None:
    for number in range(10):
        own.post(PAGE, {**NEW, "name": f"{number}"})
    assert own.post(PAGE, {**NEW, "name": "more"}).status_code == 429
