"""Whatever is sent to the accounts' pages, the answer is a page or a refusal, never a fault."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from liveai.accounts.models import Invitation

from .conftest import PASSWORD
from .test_sign_up import SIGN_UP, names, sign_up

VALUES = {
    "huge": "a" * 10_000,
    "huge-email": "a" * 10_000 + "@example.org",
    "nul": "a\0b",
    "nul-email": "a\0b@example.org",
    "surrogate": "a\ud800b",
    "surrogate-email": "a\ud800b@example.org",
    "header": "a@example.org\r\nBcc: b@example.org",
}
DOORS = [
    (SIGN_UP, ("username", "email", "password1"), False),
    ("/account/login/", ("login", "password", "next"), False),
    ("/account/password/reset/", ("email",), False),
    ("/account/password/reset/key/1-x/", ("password1", "password2"), False),
    ("/account/password/change/", ("oldpassword", "password1", "password2"), True),
    ("/account/name/", ("name",), True),
    ("/account/reauthenticate/", ("password", "next"), True),
    ("/admin/login/", ("username", "password", "next"), False),
]
GOOD = {"username": "eve", "name": "eve", "email": "eve@example.org", "next": "/"}


@pytest.mark.parametrize(("path", "fields", "is_in"), DOORS, ids=[door[0] for door in DOORS])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_form_with_anything_in_it_gets_a_page(
    ada: User, settings: Any, path: str, fields: tuple[str, ...], is_in: bool, value: str
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}
    for field in fields:
        client = Client()
        if is_in:
            client.force_login(ada)
        data = {name: GOOD.get(name, PASSWORD) for name in fields} | {field: value}
        encoded = urlencode(
            {key: text.encode("utf-8", "surrogatepass") for key, text in data.items()}
        )
        response = client.post(path, encoded, content_type="application/x-www-form-urlencoded")
        assert response.status_code < 500
        if response.status_code == 200:
            assert "</html>" in response.content.decode()
    assert all(len(name) <= 150 and name.isprintable() for name in names())


@pytest.mark.parametrize("token", ["%00", "a%00b", "%ED%A0%80", "%FF", "a" * 5_000])
@pytest.mark.parametrize(
    "path",
    [
        "/account/invitation/{}/",
        "/account/confirm-email/{}/",
        "/account/password/reset/key/{0}-{0}/",
    ],
)
def test_a_link_with_anything_in_it_is_only_not_valid(
    client: Client, path: str, token: str
) -> None:
    assert client.get(path.format(token)).status_code in (200, 404)


def test_no_database_is_asked_for_an_invitation_that_cannot_be(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise AssertionError("PostgreSQL raises an error for a NUL byte")

    monkeypatch.setattr(Invitation.objects, "valid", fail)
    assert client.get("/account/invitation/a%00b/").status_code == 404


@pytest.mark.parametrize("name", VALUES.values(), ids=VALUES)
def test_the_admin_s_forecast_names_no_such_user(admin_client: Client, name: str) -> None:
    query = urlencode({"name": name.encode("utf-8", "surrogatepass"), "block_type": "x"})
    status = 400 if "\0" in name else 200
    assert admin_client.get(f"/admin/streaming/limit/now/?{query}").status_code == status


NO_URLS = ["http://[", "//[", "//[::1", "http://[x]/"]


@pytest.mark.parametrize("is_in", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "login/",
        "signup/",
        "logout/",
        "inactive/",
        "confirm-email/",
        "confirm-email/x/",
        "password/reset/",
        "reauthenticate/",
    ],
)
def test_a_next_that_is_no_url_is_left_out(ada: User, path: str, is_in: bool) -> None:
    for target in NO_URLS:
        client = Client()
        if is_in:
            client.force_login(ada)
        query = urlencode({"next": target})
        assert client.get(f"/account/{path}?{query}").status_code < 500
        data = {"next": target, "login": "ada", "password": PASSWORD}
        assert client.post(f"/account/{path}", data).status_code < 500


def test_a_next_that_is_no_url_does_not_stop_a_sign_out(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.post("/account/logout/", {"next": "http://["})["Location"] == "/"
    assert "_auth_user_id" not in client.session


# --- sign-ups at the same time ---------------------------------------------------------------


def test_a_password_is_hashed_outside_of_the_transaction(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite lets nobody else write during a transaction, and no answer could start."""
    depths = []
    before = len(connection.savepoint_ids)
    hash_it = User.set_password

    def set_password(user: User, password: str) -> None:
        depths.append(len(connection.savepoint_ids) - before)
        hash_it(user, password)

    monkeypatch.setattr(User, "set_password", set_password)
    assert sign_up(client).status_code == 302
    assert depths == [0]


def test_a_name_that_is_taken_between_the_check_and_the_sign_up_is_refused(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "liveai.accounts.adapter.AccountAdapter.clean_username", lambda self, name, **_: name
    )
    response = sign_up(client, "ada")
    assert (response.status_code, response["Location"]) == (302, SIGN_UP)
    assert "This name is taken." in client.get(SIGN_UP).content.decode()
    assert names() == ["ada"]


# --- hashes cost a third of a second -----------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "path", "is_in"),
    [
        ("signup", SIGN_UP, False),
        ("login", "/account/login/", False),
        ("reset_password_from_key", "/account/password/reset/key/1-x/", False),
        ("change_password", "/account/password/change/", True),
        ("reauthenticate", "/account/reauthenticate/", True),
    ],
)
def test_a_form_over_its_rate_hashes_nothing(
    ada: User, client: Client, settings: Any, monkeypatch: Any, action: str, path: str, is_in: bool
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {action: "1/m/user" if is_in else "1/m/ip"}
    if is_in:
        client.force_login(ada)
    data = {"username": "eve", "email": "eve@example.org", "login": "ada", "password": PASSWORD}
    data |= {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    Client(REMOTE_ADDR="127.0.0.1").post(path, {}) if not is_in else client.post(path, {})

    def fail(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("hashed")

    for name in ("make_password", "check_password"):
        monkeypatch.setattr(f"django.contrib.auth.base_user.{name}", fail)
    assert client.post(path, data).status_code == 429
