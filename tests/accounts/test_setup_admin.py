"""`manage.py setup_admin`: the first administrator, from the environment."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

PASSWORD = "correct-horse-battery"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "EMAIL"):
        monkeypatch.delenv(f"DJANGO_SUPERUSER_{name}", raising=False)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)


def _set_up() -> str:
    output = StringIO()
    call_command("setup_admin", stdout=output)
    return output.getvalue()


def test_it_makes_an_administrator_who_can_sign_in_and_says_no_password() -> None:
    said = _set_up()
    user = User.objects.get()
    assert (user.username, user.email) == ("admin", "")
    assert user.is_superuser and user.is_staff and user.check_password(PASSWORD)
    assert "admin" in said and PASSWORD not in said


def test_name_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "ada")
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "ada@liveai.test")
    _set_up()
    user = User.objects.get()
    assert (user.username, user.email) == ("ada", "ada@liveai.test")


def test_a_second_run_changes_nothing_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set_up()
    before = list(User.objects.values())
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "another")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "")
    assert "nothing was changed" in _set_up()
    assert list(User.objects.values()) == before


@pytest.mark.parametrize("password", ["", "CHANGE-ME", "kq7-", "password123", "adminadm"])
def test_a_password_that_anybody_would_guess_is_refused_and_not_shown(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD") as caught:
        _set_up()
    assert not password or password not in str(caught.value)
    assert not User.objects.exists()


def test_a_name_that_somebody_else_has_is_refused() -> None:
    User.objects.create_user("admin", password=PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        _set_up()
    assert not User.objects.filter(is_superuser=True).exists()
