"""The page of a refusal that ends by itself: when to try again, and a way to do it.

It repeats the form that was sent, with what was typed, except for passwords.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import resolve
from rest_framework.authentication import CSRFCheck


class Field(NamedTuple):
    """A field of a form that may be repeated. One without a label is hidden."""

    name: str
    label: str = ""
    type: str = "text"
    autocomplete: str = ""


_NEXT = Field("next")

FORMS: Mapping[str, tuple[Field, ...]] = {
    "admin:login": (
        Field("username", "Name", "text", "username"),
        Field("password", "Password", "password", "current-password"),
        _NEXT,
    ),
    "account_login": (
        Field("login", "Name or email", "text", "username"),
        Field("password", "Password", "password", "current-password"),
        _NEXT,
    ),
    "account_signup": (
        Field("username", "Name", "text", "username"),
        Field("email", "Email", "email", "email"),
        Field("password1", "Password", "password", "new-password"),
        _NEXT,
    ),
    "account_reset_password": (Field("email"), _NEXT),
    "account_change_name": (Field("name"),),
    "account_email": (
        Field("email"),
        Field("action_add"),
        Field("action_send"),
        Field("action_remove"),
    ),
    "account_tokens": (Field("name"), Field("scope"), Field("expiry")),
}
"""The forms that are repeated, by the names of their addresses. Others are only opened again: what
is not listed here could be a password, and half of a form could mean something else."""

VALUE_CHARS = 300
"""A longer value is left out: no form accepts it."""


def refused_page(
    request: HttpRequest, *, title: str, seconds: int, status: int = 429
) -> HttpResponse:
    """Render the page, with `Retry-After`.

    Args:
        seconds: until a try can succeed; at least 1.
        status: 429 or 503.
    """
    fields = typed_in(request)
    context = {
        "title": title,
        "seconds": seconds,
        "wait": words_of_wait(seconds),
        "path": request.get_full_path(),
        "is_repeated": bool(fields),
        "fields": fields or _opening(request.GET),
    }
    response = render(request, "429.html", context, status=status)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def typed_in(request: HttpRequest) -> list[tuple[Field, str]]:
    """Return the fields to repeat, with their values; passwords are empty.

    Empty if there is nothing to repeat, or if the form came from another site: a click must not
    send for people what they never typed.
    """
    if request.method != "POST":
        return []
    form = FORMS.get(resolve(request.path_info).view_name, ())
    if not form or CSRFCheck(lambda _: HttpResponse()).process_view(request, None, (), {}):
        return []
    typed = {
        field.name: request.POST[field.name]
        for field in form
        if field.name in request.POST and field.type != "password"
    }
    values = {name: value for name, value in typed.items() if len(value) <= VALUE_CHARS}
    if not values.keys() - {_NEXT.name}:
        return []
    fields = (field for field in form if field.label or field.name in values)
    return [(field, values.get(field.name, "")) for field in fields]


def words_of_wait(seconds: int) -> str:
    """Return `45 seconds`, `4 minutes 5 seconds`, or `2 hours 1 minute`, which is rounded up.

    `static/frontend/countdown.js` says the same.
    """
    if seconds < 3600:
        parts = [(seconds // 60, "minute"), (seconds % 60, "second")]
    else:
        minutes = -(-seconds // 60)
        parts = [(minutes // 60, "hour"), (minutes % 60, "minute")]
    return " ".join(f"{count} {unit}{'s' * (count != 1)}" for count, unit in parts if count)


def _opening(query: QueryDict) -> list[tuple[Field, str]]:
    """Return the fields of a form that opens the page again. Its address loses its query."""
    target = query.get(_NEXT.name, "")
    return [(_NEXT, target)] if target else []
