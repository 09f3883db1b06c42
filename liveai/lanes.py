"""Selects the requests that run on separate threads."""

from __future__ import annotations

from collections.abc import Mapping

from operating.lanes import FIGURES
from streaming.access.addresses import countable_address
from streaming.http.asgi_types import Scope
from streaming.http.request_threads import Lane
from streaming.http.search_lanes import LANES as SEARCH_LANES

_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SIGN_INS_OF_AN_ADDRESS = 4
_PASSWORD_PATHS = ("/account/", "/admin/login", "/admin/password_change", "/admin/auth/user/")


def may_hash_a_password(scope: Scope) -> bool:
    """Whether a request may compute a password hash, which takes a third of a second of a core."""
    if scope.get("method", "").upper() in _READS:
        return False
    path: str = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    return path.startswith(_PASSWORD_PATHS)


def share_of_the_address(scope: Scope) -> Mapping[str, int]:
    """Limit one address's share, so that one client can't block everybody else's sign-in."""
    host = (scope.get("client") or ("", 0))[0]
    return {countable_address(host) or host: SIGN_INS_OF_AN_ADDRESS}


SIGN_IN = Lane("sign-in", may_hash_a_password, shares_of=share_of_the_address)

LANES = [SIGN_IN, FIGURES, *SEARCH_LANES]
