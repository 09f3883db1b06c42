"""What people change themselves: password, name, email; and the pages' rates."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from .conftest import PASSWORD
from .test_sign_in import sign_in
from .test_sign_up import sign_up

RESET = "/account/password/reset/"


@pytest.fixture
def own(ada: User, client: Client) -> Client:
    """A browser in which ada is signed in."""
    client.force_login(ada)
    return client


def link_in(body: str) -> str:
    (link,) = (word for word in body.split() if word.startswith("http"))
    return link.removeprefix("http://testserver")


# --- a forgotten password --------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_by_a_link(ada: User, client: Client) -> None:
    client.post(RESET, {"email": "ADA@example.org"})
    (sent,) = mail.outbox
    assert sent.subject == "Set a new password"
    form = client.get(link_in(sent.body), follow=True)
    assert "Set a new password" in form.content.decode()
    new = {"password1": "a better secret", "password2": "a better secret"}
    client.post(form.redirect_chain[-1][0], new)
    assert sign_in(password=PASSWORD).status_code == 200
    assert sign_in(password="a better secret").status_code == 302


def test_the_link_works_once(ada: User, client: Client) -> None:
    client.post(RESET, {"email": "ada@example.org"})
    link = link_in(mail.outbox[0].body)
    new = {"password1": "a better secret", "password2": "a better secret"}
    client.post(client.get(link, follow=True).redirect_chain[-1][0], new)
    assert "This link isn’t valid" in Client().get(link, follow=True).content.decode()


def test_a_reset_does_not_reveal_which_addresses_have_accounts(ada: User) -> None:
    known, unknown = (
        Client().post(RESET, {"email": email}, follow=True)
        for email in ("ada@example.org", "nobody@example.org")
    )
    assert (known.redirect_chain, known.content) == (unknown.redirect_chain, unknown.content)
    assert [message.to for message in mail.outbox] == [["ada@example.org"], ["nobody@example.org"]]


@pytest.mark.parametrize("verification", ["none", "optional", "mandatory"])
def test_a_sign_up_does_not_reveal_which_addresses_have_accounts(
    ada: User, settings: Any, verification: str
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    taken = sign_up(Client(), "eve", "ada@example.org")
    free = sign_up(Client(), "bob", "bob@example.org")
    assert (taken.status_code, taken["Location"]) == (free.status_code, free["Location"])


def test_a_mail_server_that_fails_reveals_nothing_either(
    ada: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert Client().post(RESET, {"email": "ada@example.org"}).status_code == 302
    assert "could not be sent (ConnectionRefusedError)" in caplog.text
    assert "ada@example.org" not in caplog.text


# --- what is changed while signed in -----------------------------------------------------------


def test_the_overview_shows_name_and_email(own: Client) -> None:
    page = own.get("/account/").content.decode()
    assert "<dd>ada</dd>" in page
    assert "ada@example.org" in page


def test_a_password_change_keeps_this_browser_signed_in_and_ends_the_others(
    ada: User, own: Client
) -> None:
    other = Client()
    other.force_login(ada)
    data = {"oldpassword": PASSWORD, "password1": "a better secret", "password2": "a better secret"}
    assert own.post("/account/password/change/", data)["Location"] == "/account/"
    assert own.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_a_password_change_needs_the_current_one(ada: User, own: Client) -> None:
    data = {"oldpassword": "wrong", "password1": "a better secret", "password2": "a better secret"}
    assert (
        "not your current password" in own.post("/account/password/change/", data).content.decode()
    )
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_name_changes_and_signs_in(ada: User, own: Client) -> None:
    assert own.post("/account/name/", {"name": "countess"})["Location"] == "/account/"
    assert "Your name is changed." in own.get("/account/").content.decode()
    assert sign_in("countess").status_code == 302
    assert sign_in("ada").status_code == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BOB", "taken"),
        ("bob@example.org", "contain @"),
        ("a b", "valid"),
        ("x" * 151, "At most 150"),
        ("", "required"),
    ],
)
def test_a_name_that_cannot_be_is_refused(own: Client, ada: User, name: str, words: str) -> None:
    User.objects.create_user("bob")
    page = own.post("/account/name/", {"name": name}).content.decode()
    assert words in page
    ada.refresh_from_db()
    assert ada.username == "ada"


def test_a_name_may_change_its_letters_alone(ada: User, own: Client) -> None:
    assert own.post("/account/name/", {"name": "Ada"}).status_code == 302
    ada.refresh_from_db()
    assert ada.username == "Ada"


def test_an_email_changes_once_its_link_is_opened(ada: User, own: Client) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    wanted = {"email": "new@example.org", "action_add": ""}
    asked = own.post("/account/email/", wanted)
    assert asked["Location"].startswith("/account/reauthenticate/"), "the password comes first"
    own.post(asked["Location"], {"password": PASSWORD})
    (sent,) = mail.outbox
    assert sent.to == ["new@example.org"]
    ada.refresh_from_db()
    assert ada.email == "ada@example.org"
    own.post(link_in(sent.body))
    ada.refresh_from_db()
    assert ada.email == "new@example.org"
    assert [message.to for message in mail.outbox[1:]] == [["ada@example.org"]], "a warning"


# --- rates ------------------------------------------------------------------------------------

RATES = [
    ("signup", "/account/signup/", {}, False),
    ("reset_password", RESET, {"email": "ada@example.org"}, False),
    ("change_password", "/account/password/change/", {}, True),
    ("change_name", "/account/name/", {"name": "ada"}, True),
]


@pytest.mark.parametrize(
    ("action", "path", "data", "is_in"), RATES, ids=[rate[0] for rate in RATES]
)
def test_each_form_has_a_rate_with_a_page_that_says_so(
    ada: User, client: Client, settings: Any, action: str, path: str, data: Any, is_in: bool
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {action: "2/m/user" if is_in else "2/m/ip"}
    if is_in:
        client.force_login(ada)
    codes = [client.post(path, data).status_code for _ in range(3)]
    assert (429 in codes[:2], codes[2]) == (False, 429)
    refused = client.post(path, data)
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "Too many requests" in refused.content.decode()


def test_guessing_invitations_has_a_rate(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"invitation": "2/m/ip"}
    codes = [client.get("/account/invitation/guess/").status_code for _ in range(3)]
    assert codes == [404, 404, 429]


def test_another_address_is_not_limited_but_one_of_the_same_ipv6_network_is(
    client: Client, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"invitation": "1/m/ip"}

    def code(address: str) -> int:
        return client.get("/account/invitation/guess/", REMOTE_ADDR=address).status_code

    assert [code("192.0.2.1"), code("192.0.2.1"), code("192.0.2.2")] == [404, 429, 404]
    assert [code("2001:db8::1"), code("2001:db8::2"), code("2001:db8:0:1::1")] == [404, 429, 404]
