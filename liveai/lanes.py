"""Which requests run on threads of their own."""

from __future__ import annotations

from streaming.handover import Scope
from streaming.request_threads import Lane

_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_PASSWORD_PATHS = ("/admin/login", "/admin/password_change", "/admin/auth/user/")


def may_hash_a_password(scope: Scope) -> bool:
    """Whether a request may cost a password hash: a third of a second of a core."""
    if scope.get("method", "").upper() in _READS:
        return False
    path: str = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    return path.startswith(_PASSWORD_PATHS)


SIGN_IN = Lane("sign-in", may_hash_a_password, at_most_per_address=4)
