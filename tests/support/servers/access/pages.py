"""The pages of accounts and of the admin as entry points, from the URL configuration."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlencode

from django.urls import URLResolver, get_resolver

from tests.support.servers.access.entries import Entry
from tests.support.servers.access.exchange import Answer, Request
from tests.support.servers.access.names import Names, text
from tests.support.servers.access.rights import ASK, CSRF, PAGE, READ, STAFF

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

OF_AN_ACCOUNT = (
    "account_home account_change_name account_delete account_email account_tokens"
    " account_revoke_token account_reauthenticate account_change_password account_set_password"
).split()
"""Names of the pages that need somebody signed in."""

FOR_ANYBODY = (
    "account_deleted account_inactive account_login account_logout account_signup"
    " account_reset_password account_reset_password_done account_reset_password_from_key_done"
    " account_email_verification_sent account_request_reauthentication_code"
    " account_confirm_reauthentication_code account_confirm_login_code"
    " home block history licenses stream api-schema api-docs"
).split()
"""Names of the addresses that show nothing of anybody: forms, notices, and the pages' document."""

OF_A_VISITOR = "account_data account_delete_answers".split()
"""Names of the pages that show anybody what is their own."""

OF_THE_API = (
    "api-config api-blocks api-start api-streams api-cancel-request api-stream api-events"
    " api-cancel api-export"
).split()
"""Names of the calls, which entries.py tries by their operations."""

BY_LINK = "account_confirm_email account_reset_password_from_key account_invitation".split()
"""Names of the pages that a secret in their address opens."""


def patterns(resolver: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Yield the route and the name of every address of the site."""
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            inner = f"{each.namespace}:" if each.namespace else ""
            yield from patterns(each, route, space + inner)
        else:
            yield route, f"{space}{each.name or ''}"


LIVE = "/admin/streaming/stream/live/api/streams/ID/events"
"""A call and no page: it has an entry of its own, so that it is tried with all kinds of names."""


def is_to_sign_in(answer: Answer) -> bool:
    """Whether an answer leads to a page where people sign in, or refuses the form."""
    where = answer.header("location").partition("?")[0]
    is_led = answer.status == 302 and where in ("/account/login/", "/admin/login/", "/admin/")
    return is_led or answer.status in (400, 403, 404, 405)


def gives_nothing(answer: Answer) -> bool:
    """Whether an answer can be that to a wrong secret. The state is compared at the end."""
    return answer.status in (200, 302, 403, 404, 405, 429)


def _admin_paths() -> list[str]:
    """Return the admin's addresses, with `ID` for what they name."""
    found = []
    for route, name in patterns():
        if route.startswith("admin/") and name not in ("admin:login", "admin:logout"):
            path = route.replace("<path:object_id>", "ID").replace("<id>", "ID")
            path = path.replace("<path:content_type_id>", "1").replace("<str:stream_id>", "ID")
            path = path.replace("<int:version_id>", "1").replace("<str:way>", "up")
            if "(?P" not in path and f"/{path}" != LIVE:
                found.append(f"/{path}")
    return [*found, "/admin/streaming/", "/admin/auth/"]


def _account_path(name: str) -> str:
    (route,) = {route for route, each in patterns() if each == name}
    return f"/{route}"


def _form(path: str, **fields: str) -> Request:
    body = urlencode({"csrfmiddlewaretoken": CSRF, **fields}, errors="replace")
    return Request("POST", path, FORM, body.encode())


def page_entries() -> list[Entry]:
    """Return the entry points among the pages."""
    admin = _admin_paths()
    accounts = [_account_path(name) for name in OF_AN_ACCOUNT]

    def admin_page(names: Names, random: Random) -> Request:
        path = random.choice(admin)
        named = names.user_pk if path.startswith("/admin/auth/user/") else names.stream_id
        return Request("GET", path.replace("ID", named))

    def admin_form(names: Names, random: Random) -> Request:
        path = random.choice(admin).replace("ID", names.stream_id)
        return _form(path, post="yes", action="delete_selected", _selected_action=names.user_pk)

    def account_form(names: Names, random: Random) -> Request:
        words = text(names.token_key)
        return _form(random.choice(accounts), token=words, email="vera@example.com", name="vera")

    return [
        Entry(
            "page of an account",
            "account",
            PAGE,
            lambda n, r: Request("GET", r.choice(accounts)),
            is_to_sign_in,
        ),
        Entry("form of an account", "account", PAGE, account_form, is_to_sign_in),
        Entry(
            "revoke a token",
            "account",
            ASK,
            lambda n, r: _form("/account/tokens/revoke/", token=text(n.token_key)),
            gives_nothing,
        ),
        Entry(
            "page of own data",
            "own data",
            READ,
            lambda n, r: Request("GET", r.choice([_account_path(name) for name in OF_A_VISITOR])),
            gives_nothing,
        ),
        Entry(
            "delete all by the form",
            "own data",
            ASK,
            lambda n, r: _form("/account/data/delete/"),
            gives_nothing,
        ),
        Entry("page of the admin", "admin", STAFF, admin_page, is_to_sign_in),
        Entry("form of the admin", "admin", STAFF, admin_form, is_to_sign_in),
        Entry(
            "live answer in the admin",
            "admin",
            STAFF,
            lambda n, r: Request("GET", LIVE.replace("ID", n.stream_id)),
            # An id with a slash is another address of the admin.
            lambda answer: answer.status in (401, 403) or is_to_sign_in(answer),
        ),
        Entry(
            "guessed reset",
            "link",
            PAGE,
            lambda n, r: Request("GET", f"/account/password/reset/key/{_base36(n)}-d3f-0a1b2c/"),
            gives_nothing,
            at_most=18,
        ),
        Entry(
            "guessed confirmation",
            "link",
            PAGE,
            lambda n, r: Request("GET", f"/account/confirm-email/{_base36(n)}:1v0:abc/"),
            gives_nothing,
        ),
        Entry(
            "guessed invitation",
            "link",
            PAGE,
            lambda n, r: Request("GET", f"/account/invitation/{n.stream_id}/"),
            gives_nothing,
            at_most=50,
        ),
    ]


def _base36(names: Names) -> str:
    return names.user_pk if names.user_pk.isdigit() else names.stream_id
