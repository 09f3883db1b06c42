"""Signing up: openly, by invitation, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from liveai.accounts.models import Invitation

from .conftest import PASSWORD

SIGN_UP = "/account/signup/"


def sign_up(
    client: Client, name: str = "eve", email: str = "eve@example.org", password: str = PASSWORD
) -> HttpResponse:
    data = {"username": name, "email": email, "password1": password}
    return client.post(SIGN_UP, data)


def names() -> Sequence[str]:
    return sorted(User.objects.values_list("username", flat=True))


def test_anybody_signs_up_where_it_is_open_and_is_signed_in(client: Client) -> None:
    response = sign_up(client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/account/").status_code == 200
    assert names() == ["eve"]


def test_a_new_account_gets_an_email_with_a_link_that_confirms_the_address(client: Client) -> None:
    sign_up(client)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["eve@example.org"], "Confirm your email")
    path = next(word for word in sent.body.split() if "/confirm-email/" in word)
    path = path.removeprefix("http://testserver")
    page = client.get(path)
    assert "eve@example.org" in page.content.decode()
    assert "Not confirmed yet" in client.get("/account/").content.decode()
    client.post(path)
    assert "Not confirmed yet" not in client.get("/account/").content.decode()


@pytest.mark.parametrize("mode", ["closed", "invitation"])
def test_nobody_signs_up_where_it_is_not_open(client: Client, settings: Any, mode: str) -> None:
    settings.SIGN_UP = mode
    page = client.get(SIGN_UP).content.decode()
    assert ("Sign-up is closed" if mode == "closed" else "You need an invitation") in page
    sign_up(client)
    assert names() == []


@pytest.mark.parametrize(("mode", "is_offered"), [("open", True), ("invitation", False)])
def test_the_sign_in_page_offers_a_sign_up_only_where_it_is_open(
    client: Client, settings: Any, mode: str, is_offered: bool
) -> None:
    settings.SIGN_UP = mode
    assert (SIGN_UP in client.get("/account/login/").content.decode()) is is_offered


@pytest.mark.parametrize(("password", "words"), [("short", "too short"), ("password1", "common")])
def test_a_bad_password_is_refused_with_a_reason(client: Client, password: str, words: str) -> None:
    page = sign_up(client, password=password).content.decode()
    assert words in page
    assert 'aria-invalid="true"' in page
    assert names() == []


def test_a_taken_name_is_refused_in_any_letters(client: Client, ada: User) -> None:
    assert "This name is taken." in sign_up(client, "Ada").content.decode()


def test_a_name_that_looks_like_an_address_is_refused(client: Client) -> None:
    assert "A name can’t contain @." in sign_up(client, "ada@example.org").content.decode()
    assert names() == []


# --- invitations -----------------------------------------------------------------------


@pytest.fixture
def invited(settings: Any) -> Invitation:
    settings.SIGN_UP = "invitation"
    return Invitation.objects.create(note="Eve")


def test_an_invitation_lets_one_person_sign_up(client: Client, invited: Invitation) -> None:
    opened = client.get(invited.get_absolute_url())
    assert (opened.status_code, opened["Location"]) == (302, SIGN_UP)
    assert sign_up(client).status_code == 302
    assert names() == ["eve"]
    again = Client()
    assert again.get(invited.get_absolute_url()).status_code == 404
    sign_up(again, "bob", "bob@example.org")
    assert names() == ["eve"]


def test_of_two_who_opened_it_the_second_is_refused(invited: Invitation) -> None:
    first, second = Client(), Client()
    for client in (first, second):
        client.get(invited.get_absolute_url())
    sign_up(first)
    sign_up(second, "bob", "bob@example.org")
    assert names() == ["eve"]
    assert "You need an invitation" in second.get(SIGN_UP).content.decode()


def test_one_that_is_used_up_between_the_check_and_the_sign_up_makes_no_account(
    client: Client, invited: Invitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(invited.get_absolute_url())
    monkeypatch.setattr(Invitation, "take", classmethod(lambda cls, token: False))
    response = sign_up(client)
    assert (response.status_code, response["Location"]) == (302, SIGN_UP)
    assert names() == []


def test_one_is_taken_only_while_it_is_valid(invited: Invitation) -> None:
    assert [Invitation.take(invited.token) for _ in range(2)] == [True, False]
    Invitation.objects.update(uses=9)
    assert Invitation.take(invited.token)
    Invitation.objects.update(expires_at=timezone.now())
    assert not Invitation.take(invited.token)
    assert not Invitation.take("")


def test_an_invitation_for_three_lets_three_sign_up(invited: Invitation) -> None:
    Invitation.objects.update(uses=3)
    for number in range(4):
        client = Client()
        client.get(invited.get_absolute_url())
        sign_up(client, f"name-{number}", f"name-{number}@example.org")
    assert names() == ["name-0", "name-1", "name-2"]


def test_a_refused_form_does_not_use_it_up(client: Client, invited: Invitation) -> None:
    client.get(invited.get_absolute_url())
    sign_up(client, password="short")
    assert sign_up(client).status_code == 302
    assert names() == ["eve"]


@pytest.mark.parametrize("when", ["before it is opened", "after it was opened"])
def test_an_expired_one_is_refused(client: Client, invited: Invitation, when: str) -> None:
    if when.startswith("after"):
        client.get(invited.get_absolute_url())
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client.get(invited.get_absolute_url())
    sign_up(client)
    assert names() == []


def test_one_for_an_address_is_for_that_address_alone(client: Client, invited: Invitation) -> None:
    Invitation.objects.update(email="Eve@example.org")
    client.get(invited.get_absolute_url())
    assert 'value="Eve@example.org"' in client.get(SIGN_UP).content.decode()
    refused = sign_up(client, email="bob@example.org")
    assert "This invitation is for another address." in refused.content.decode()
    assert sign_up(client).status_code == 302


def test_an_unknown_one_is_a_page_that_says_so(client: Client, invited: Invitation) -> None:
    response = client.get("/account/invitation/guessed/")
    assert response.status_code == 404
    assert "This invitation isn’t valid" in response.content.decode()


def test_the_admin_makes_one_and_finds_its_link(admin_client: Client) -> None:
    expires = {"expires_at_0": "2099-01-01", "expires_at_1": "00:00"}
    made = admin_client.post("/admin/accounts/invitation/add/", {"uses": "1", **expires})
    assert made.status_code == 302
    invitation = Invitation.objects.get()
    page = admin_client.get(f"/admin/accounts/invitation/{invitation.pk}/change/")
    assert f"http://testserver{invitation.get_absolute_url()}" in page.content.decode()
    assert "0 of 1" in admin_client.get("/admin/accounts/invitation/").content.decode()
