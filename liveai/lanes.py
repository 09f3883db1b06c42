"""Selects the requests that run on separate threads."""

from __future__ import annotations

from operating.lanes import FIGURES
from streaming.access.addresses import countable_address
from streaming.http.asgi_types import Scope
from streaming.http.request_threads import Lane, LaneInTurns
from streaming.http.search_lanes import LANES as SEARCH_LANES

_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_PASSWORD_PATHS = (
    "/account/login",
    "/account/signup",
    "/account/password/",
    "/account/reauthenticate",
    "/admin/login",
    "/admin/password_change",
    "/admin/auth/user/",
)


def may_hash_a_password(scope: Scope) -> bool:
    """Whether a request may compute a password hash, which takes a third of a second of a core."""
    if scope.get("method", "").upper() in _READS:
        return False
    path: str = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    return path.startswith(_PASSWORD_PATHS)


def address_of(scope: Scope) -> str:
    """Return the address that a request takes its turns with. A proxy has one like all others."""
    host: str = (scope.get("client") or ("", 0))[0]
    return countable_address(host) or host


SIGN_IN = LaneInTurns(
    "sign-in",
    may_hash_a_password,
    address_of,
    threads=2,  # a hash holds no lock of Python's
    of_an_address=40,  # a class signs in at once
    waiting=200,
    seconds=30,
)

LANES: list[Lane | LaneInTurns] = [SIGN_IN, FIGURES, *SEARCH_LANES]
