"""The page of a refusal: its words, and whose forms it repeats."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.urls import reverse

from liveai.refused_page import FORMS, typed_in, words_of_wait

TOKEN = "a" * 32


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (299, "4 minutes 59 seconds"),
        (3599, "59 minutes 59 seconds"),
        (3600, "1 hour"),
        (3601, "1 hour 1 minute"),
        (7199, "2 hours"),
        (90_000, "25 hours"),
    ],
)
def test_a_wait_in_words(seconds: int, words: str) -> None:
    assert words_of_wait(seconds) == words


def test_every_form_that_is_repeated_has_an_address() -> None:
    assert all(reverse(name) for name in FORMS)


def test_no_field_that_may_hold_a_password_is_kept() -> None:
    for form in FORMS.values():
        assert all((field.type == "password") == ("password" in field.name) for field in form)


@pytest.mark.parametrize(("token", "is_kept"), [(TOKEN, True), ("b" * 32, False), ("", False)])
def test_a_form_of_another_site_is_not_repeated(token: str, is_kept: bool) -> None:
    """A busy server refuses it before Django looks for its token."""
    request = RequestFactory(enforce_csrf_checks=True).post(
        "/account/login/", {"login": "ada", "password": "x", "csrfmiddlewaretoken": token}
    )
    request.COOKIES["csrftoken"] = request.META["CSRF_COOKIE"] = TOKEN
    typed = [(field.name, value) for field, value in typed_in(request)]
    assert typed == ([("login", "ada"), ("password", "")] if is_kept else [])
