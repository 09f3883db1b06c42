"""Signing in and out: by name or email, where it leads, and how often it may fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import set_script_prefix

from .conftest import PASSWORD

SIGN_IN = "/account/login/"


def sign_in(
    login: str = "ada",
    password: str = PASSWORD,
    *,
    client: Client | None = None,
    address: str = "192.0.2.1",
    **more: str,
) -> HttpResponse:
    data = {"login": login, "password": password, **more}
    return (client or Client()).post(SIGN_IN, data, REMOTE_ADDR=address)


@pytest.mark.parametrize("login", ["ada", "ada@example.org", "ADA@example.org", " ada "])
def test_a_name_or_an_email_signs_in(ada: User, client: Client, login: str) -> None:
    response = sign_in(login, client=client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(ada.pk)


@pytest.mark.parametrize("login", ["ada", "ada@example.org", "nobody", "nobody@example.org"])
def test_a_wrong_password_says_the_same_as_an_unknown_login(ada: User, login: str) -> None:
    page = sign_in(login, "wrong").content.decode()
    kind = "email address" if "@" in login else "name"
    assert f"That {kind} and password don’t match." in page


@pytest.mark.parametrize("login", ["x" * 300, "nu\0ll", "x" * 300 + "@example.org"])
def test_a_login_that_no_column_could_hold_is_only_wrong(ada: User, login: str) -> None:
    assert sign_in(login).status_code == 200


def test_a_deactivated_user_does_not_get_in(ada: User, client: Client) -> None:
    User.objects.update(is_active=False)
    sign_in(client=client)
    sign_in("ada@example.org", client=client)
    assert "_auth_user_id" not in client.session


# --- accounts that share an address ------------------------------------------------------


@pytest.fixture
def checked(ada: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Twenty more accounts with Ada's address; collect whose password is checked."""
    for number in range(20):
        User.objects.create_user(f"other{number}", "ada@example.org", f"{PASSWORD} {number}")
    names: list[str] = []
    check = User.check_password

    def check_password(user: User, password: str) -> bool:
        names.append(user.username)
        return check(user, password)

    monkeypatch.setattr(User, "check_password", check_password)
    return names


def test_an_address_of_many_accounts_has_the_passwords_of_two_checked(checked: list[str]) -> None:
    assert sign_in("ada@example.org", "wrong").status_code == 200
    assert checked == ["ada", "other0"]
    assert sign_in("other19", f"{PASSWORD} 19").status_code == 302, "each has its name"


def test_the_account_that_confirmed_the_address_comes_first(checked: list[str]) -> None:
    last = User.objects.get(username="other19")
    EmailAddress.objects.create(user=last, email=last.email, verified=True, primary=True)
    assert sign_in("ada@example.org", f"{PASSWORD} 19").status_code == 302
    assert checked == ["other19"]


@pytest.mark.usefixtures("checked")
def test_a_reset_writes_to_the_same_two(client: Client) -> None:
    client.post("/account/password/reset/", {"email": "ada@example.org"})
    assert len(mail.outbox) == 2


# --- where it leads -----------------------------------------------------------------------

KEPT = [
    "/",
    "/history?q=tea",
    "/streams/abcdefghijklmnopqrstuv",
    "/blocks/quiz",
    "/licenses",
    "/account/",
    "/account/delete/",
    "/account/password/change/",
    "/account/tokens/",
    "/admin/",
    "/admin/streaming/stream/",
    "/api/docs",
]
REFUSED = [
    "//evil.test/",
    "https://evil.test/",
    "/\\evil.test",
    "javascript:alert(1)",
    "/no-such-page",
    "/accounts/profile/",
    "history",
    "/account/login/",
    "/account/logout/",
    "/account/inactive/",
    "/account/tokens/revoke/",
    "/account/invitation/zzz/",
    "/account/password/reset/key/abc-def/",
    "/api/streams/xx",
    "/admin/logout/",
    "/admin/jsi18n/",
]


@pytest.mark.parametrize("target", KEPT)
def test_it_returns_to_the_page_that_asked_for_it(ada: User, target: str) -> None:
    assert sign_in(next=target)["Location"] == target


@pytest.mark.parametrize("target", REFUSED)
def test_a_refused_next_leads_home(ada: User, target: str) -> None:
    assert sign_in(next=target)["Location"] == "/"


@pytest.mark.parametrize("target", REFUSED)
def test_a_refused_next_leads_home_also_for_someone_who_is_signed_in(
    ada: User, client: Client, target: str
) -> None:
    client.force_login(ada)
    response = client.get(f"{SIGN_IN}?{urlencode({'next': target})}")
    assert (response.status_code, response["Location"]) == (302, "/")


def test_below_a_path_next_has_the_path(ada: User) -> None:
    set_script_prefix("/ai/")
    try:
        assert sign_in(next="/ai/history")["Location"] == "/ai/history"
        assert sign_in(next="/history")["Location"] == "/ai/"
    finally:
        set_script_prefix("/")


def test_a_page_that_needs_an_account_is_returned_to(ada: User, client: Client) -> None:
    response = client.get("/account/name/")
    assert response["Location"] == "/account/login/?next=/account/name/"
    page = client.get(response["Location"]).content.decode()
    assert '<input type="hidden" name="next" value="/account/name/"' in page


# --- out ----------------------------------------------------------------------------------


def test_signing_out_takes_a_post_and_leads_home(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert "Sign out?" in client.get("/account/logout/").content.decode()
    assert "_auth_user_id" in client.session
    response = client.post("/account/logout/")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert dict(client.session) == {}, "no message that no page shows"


# --- how often ------------------------------------------------------------------------------


@pytest.fixture
def three_tries(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3


@pytest.mark.usefixtures("three_tries")
@pytest.mark.parametrize("login", ["ada", "ada@example.org"])
def test_failures_lock_the_login_from_this_address_with_a_page_that_says_so(
    ada: User, login: str
) -> None:
    assert [sign_in(login, "wrong").status_code for _ in range(4)] == [200, 200, 429, 429]
    locked = sign_in(login)
    assert (locked.status_code, 0 < int(locked["Retry-After"]) <= 300) == (429, True)
    page = locked.content.decode()
    assert "Too many failed sign-ins" in page
    assert "Django administration" not in page
    assert sign_in(login, address="192.0.2.2").status_code == 302


@pytest.mark.usefixtures("three_tries")
def test_the_letters_of_an_email_give_no_further_tries(ada: User) -> None:
    for login in ("ada@example.org", "ADA@example.org", "Ada@Example.org"):
        sign_in(login, "wrong")
    assert sign_in("ada@example.org").status_code == 429


@pytest.mark.usefixtures("three_tries")
def test_a_sign_in_by_email_forgets_the_failures_of_that_email(ada: User) -> None:
    for _ in range(2):
        sign_in("ada@example.org", "wrong")
        sign_in("ada@example.org", "wrong")
        assert sign_in("ada@example.org").status_code == 302


@pytest.mark.usefixtures("three_tries")
@pytest.mark.parametrize("path", [SIGN_IN, "/admin/login/"])
def test_an_owner_can_not_have_the_failures_of_others_forgotten(ada: User, path: str) -> None:
    User.objects.create_superuser("eve", password=PASSWORD)
    own, other = ("login", "username") if path == SIGN_IN else ("username", "login")
    for _ in range(2):
        sign_in(password="wrong")
    data = {own: "eve", other: "ada", "password": PASSWORD}
    assert Client().post(path, data, REMOTE_ADDR="192.0.2.1").status_code == 302
    sign_in(password="wrong")
    assert sign_in().status_code == 429


@pytest.mark.usefixtures("three_tries")
def test_failures_in_the_admin_and_on_the_accounts_page_count_together(ada: User) -> None:
    for _ in range(2):
        sign_in(password="wrong")
    admin = {"username": "ada", "password": "wrong"}
    assert Client().post("/admin/login/", admin, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert sign_in().status_code == 429


@pytest.mark.usefixtures("three_tries")
def test_typing_the_password_again_is_limited_alike(ada: User, client: Client) -> None:
    client.force_login(ada)
    wrong = {"password": "wrong"}
    codes = [client.post("/account/reauthenticate/", wrong).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_a_class_behind_one_address_signs_in(ada: User) -> None:
    assert {sign_in().status_code for _ in range(30)} == {302}


def test_sign_ins_of_an_address_have_a_rate(ada: User, settings: Any) -> None:
    rates = settings.ACCOUNT_RATE_LIMITS
    assert rates["login"] == "120/m/ip"
    settings.ACCOUNT_RATE_LIMITS = {**rates, "login": "120/h/ip"}  # a busy machine needs minutes
    codes = [sign_in().status_code for _ in range(121)]
    assert codes[-1] == 429
    assert set(codes[:-1]) == {302}
