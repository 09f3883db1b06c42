"""How long an idle connection stays open."""

from __future__ import annotations

from django.conf import settings

from ..access.addresses import is_proxy

PROXY_SECONDS = 75.0
"""Above the 60 s after which most balancers close their idle connections (AWS, nginx). If the
server closes first, a balancer may send a request into the closed connection, and answers 502."""

CLIENT_SECONDS = 5.0
"""Enough for a browser that loads a page. Each open connection counts in LIMIT_CONNECTIONS."""


def keep_alive_seconds(peer: str | None) -> float:
    """Return SERVER_KEEP_ALIVE_SECONDS, or what suits a peer if it is 0.

    Args:
        peer: the address at the other end of the connection; None: a Unix socket.
    """
    wanted: float = settings.SERVER_KEEP_ALIVE_SECONDS
    return wanted or (PROXY_SECONDS if is_proxy(peer) else CLIENT_SECONDS)
