"""Deleting an account: the password first, then the account with all of its answers."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from streaming.access.owners import anonymous_owner, user_owner
from streaming.access.sessions import SESSION_KEY
from streaming.database import batches
from streaming.models import Stream
from streaming.own_data import deleting
from tests.support.streaming.own_rows import ended

from .conftest import PASSWORD

DELETE = "/account/delete/"


@pytest.fixture
def own(ada: User, client: Client) -> Client:
    """A browser in which ada is signed in, and has asked something."""
    client.force_login(ada)
    session = client.session
    session[SESSION_KEY] = "session-of-ada"
    session.save()
    add_stream("of-ada", user_owner(ada.pk), ada)
    return client


def add_stream(stream_id: str, owner: str, user: User | None = None) -> None:
    Stream.objects.create(
        id=stream_id, owner=owner, user=user, mark=1, created_at=timezone.now(), prompt="Why?"
    )


def ids() -> list[str]:
    return sorted(Stream.objects.values_list("id", flat=True))


def test_the_account_and_its_answers_are_deleted_once_the_password_is_typed(
    ada: User, own: Client
) -> None:
    bob = User.objects.create_user("bob")
    add_stream("of-bob", user_owner(bob.pk), bob)
    EmailAddress.objects.create(user=ada, email="ada@example.org")
    assert "Delete account and answers" in own.get(DELETE).content.decode()
    asked = own.post(DELETE)
    assert asked["Location"] == "/account/reauthenticate/?next=%2Faccount%2Fdelete%2F"
    assert User.objects.filter(pk=ada.pk).exists()
    done = own.post(asked["Location"], {"password": PASSWORD})
    assert done["Location"] == "/account/deleted/"
    assert "Your account is deleted" in own.get("/account/deleted/").content.decode()
    assert list(User.objects.all()) == [bob]
    assert ids() == ["of-bob"]
    assert not EmailAddress.objects.exists()
    assert "_auth_user_id" not in own.session


def test_many_answers_go_in_batches_and_a_repeated_deletion_continues(
    ada: User, own: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    monkeypatch.setattr(batches, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(deleting, "DELETE_SECONDS", -1.0)
    bob = User.objects.create_user("bob")
    Stream.objects.bulk_create(
        ended(f"{user.username}-{number}", number, user_owner(user.pk), user=user)
        for user in (ada, bob)
        for number in range(3)
    )
    asked = own.post(DELETE)
    left = own.post(asked["Location"], {"password": PASSWORD})
    assert left["Location"] == DELETE
    assert "many answers. Some are left" in " ".join(own.get(DELETE).content.decode().split())
    assert ids() == ["ada-2", "bob-0", "bob-1", "bob-2", "of-ada"]
    assert own.post(DELETE)["Location"] == "/account/deleted/"
    assert ids() == ["bob-0", "bob-1", "bob-2"]
    assert list(User.objects.all()) == [bob]


def test_a_wrong_password_deletes_nothing(ada: User, own: Client) -> None:
    asked = own.post(DELETE)
    page = own.post(asked["Location"], {"password": "wrong"})
    assert "That’s not your password." in page.content.decode()
    assert User.objects.filter(pk=ada.pk).exists()
    assert ids() == ["of-ada"]


def test_looking_at_the_page_deletes_nothing_even_after_the_password(
    ada: User, own: Client
) -> None:
    own.post("/account/reauthenticate/?next=/account/delete/", {"password": PASSWORD})
    own.get(DELETE)
    assert User.objects.filter(pk=ada.pk).exists()


def test_starts_that_the_sign_in_has_overtaken_are_deleted_too(ada: User, own: Client) -> None:
    add_stream("late", anonymous_owner("session-of-ada"))
    asked = own.post(DELETE)
    own.post(asked["Location"], {"password": PASSWORD})
    assert ids() == []


def test_the_only_administrator_stays(admin_user: User, admin_client: Client) -> None:
    assert "You are the only administrator" in admin_client.get(DELETE).content.decode()
    admin_user.set_password(PASSWORD)
    admin_user.save()
    admin_client.force_login(admin_user)
    asked = admin_client.post(DELETE)
    admin_client.post(asked["Location"], {"password": PASSWORD})
    assert User.objects.filter(pk=admin_user.pk).exists()


def test_a_visitor_is_sent_to_sign_in(client: Client) -> None:
    assert client.get(DELETE)["Location"] == "/account/login/?next=/account/delete/"
