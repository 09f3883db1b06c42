"""Lanes for requests that scan many rows, so that these delay no other requests.

Source: specs/050-live-ai-interaction/decisions/016.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict, parse_cookie

from ..access.addresses import countable_address
from ..access.tokens import token_in
from .asgi_types import Scope
from .request_threads import Lane

SEARCH = "search"
HISTORY_PATH = "/api/streams"
ADMIN_LIST_PATH = "/admin/streaming/stream/"

OF_A_VISITOR = 2
"""One running search, and one waiting for what was typed meanwhile."""

ADMIN_LISTS_OF_AN_ADDRESS = 4

OF_AN_ADDRESS = 8
"""A whole school may share one address. An attacker with invented session cookies has one, too."""


def is_search(scope: Scope) -> bool:
    """Whether a request searches a history. The path may have a prefix of the site."""
    if not scope["path"].endswith(HISTORY_PATH):
        return False
    try:
        return bool(QueryDict(scope["query_string"]).get("q"))
    except SuspiciousOperation:  # too many parameters: the view refuses the request
        return False


def is_admin_list(scope: Scope) -> bool:
    """Whether a request reads the admin's list of streams, or acts on it."""
    path: str = scope["path"]
    return path.endswith((ADMIN_LIST_PATH, f"{ADMIN_LIST_PATH}cancel-all/"))


def shares_of(scope: Scope) -> Mapping[str, int]:
    """Return the keys that a search counts under, each with its limit.

    The owner is not known yet, so an API token or the session cookie identifies them, or else the
    address.
    """
    client = scope.get("client") or (None,)
    address = countable_address(client[0])
    cookies = parse_cookie("; ".join(_values(scope, b"cookie")))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    token = next(filter(None, map(token_in, _values(scope, b"authorization"))), None)
    shares: dict[str, int] = {}
    if token:
        shares[f"token:{hash(token)}"] = OF_A_VISITOR
    elif session:
        shares[f"session:{session}"] = OF_A_VISITOR
    elif address is not None:
        shares[f"visitor:{address}"] = OF_A_VISITOR
    if address is not None:
        shares[f"address:{address}"] = OF_AN_ADDRESS
    return shares


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def share_of_the_address(scope: Scope) -> Mapping[str, int]:
    """Count admin lists by address, so that requests of strangers can't block the staff."""
    host = (scope.get("client") or ("", 0))[0]
    return {countable_address(host) or host: ADMIN_LISTS_OF_AN_ADDRESS}


LANES = [
    Lane(SEARCH, is_search, shares_of=shares_of),
    Lane("admin-list", is_admin_list, shares_of=share_of_the_address),
]
