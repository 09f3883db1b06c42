"""The lanes of requests that look through many rows: they stay off the threads of all others.

Source: specs/050-live-ai-interaction/decisions/016.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict, parse_cookie

from ..access.addresses import countable_address
from .asgi_types import Scope
from .request_threads import Lane

SEARCH = "search"
HISTORY_PATH = "/api/streams"
ADMIN_LIST_PATH = "/admin/streaming/stream/"

OF_A_VISITOR = 2
"""One at work, and one that waits: what was typed meanwhile."""

ADMIN_LISTS_OF_AN_ADDRESS = 4

OF_AN_ADDRESS = 8
"""A school has one address; and whoever makes up session cookies has one, too."""


def is_search(scope: Scope) -> bool:
    """Whether a request looks for words in a history. The path may follow a prefix of the site."""
    if not scope["path"].endswith(HISTORY_PATH):
        return False
    try:
        return bool(QueryDict(scope["query_string"]).get("q"))
    except SuspiciousOperation:  # too many parameters: the view refuses it
        return False


def is_admin_list(scope: Scope) -> bool:
    """Whether a request reads the admin's list of streams, or acts on it."""
    path: str = scope["path"]
    return path.endswith(ADMIN_LIST_PATH)


def shares_of(scope: Scope) -> Mapping[str, int]:
    """What a search counts under, and how many may count under each at a time. Who the owner is
    can't be told yet; the session's cookie stands for them, else their address."""
    client = scope.get("client") or (None,)
    address = countable_address(client[0])
    headers = (value for name, value in scope["headers"] if name == b"cookie")
    cookies = parse_cookie(b"; ".join(headers).decode("latin-1"))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    shares: dict[str, int] = {}
    if session:
        shares[f"session:{session}"] = OF_A_VISITOR
    elif address is not None:
        shares[f"visitor:{address}"] = OF_A_VISITOR
    if address is not None:
        shares[f"address:{address}"] = OF_AN_ADDRESS
    return shares


def share_of_the_address(scope: Scope) -> Mapping[str, int]:
    """Strangers ask as well, and are sent to the sign-in: they must not keep the staff out."""
    host = (scope.get("client") or ("", 0))[0]
    return {countable_address(host) or host: ADMIN_LISTS_OF_AN_ADDRESS}


LANES = [
    Lane(SEARCH, is_search, shares_of=shares_of),
    Lane("admin-list", is_admin_list, shares_of=share_of_the_address),
]
