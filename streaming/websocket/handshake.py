"""What a handshake says: its origin, its token and its subprotocols. Source: spec.md, "WebSocket".

A browser can't set headers on a WebSocket. So a token comes as a subprotocol, which is not logged
like an address, and the server chooses the other one.
"""

from __future__ import annotations

from typing import Any

from asgiref.typing import WebSocketScope
from django.conf import settings
from django.http import parse_cookie

from ..access.origins import is_own_origin
from ..access.tokens import token_in
from ..access.visitor import check_origin_of_token, is_allowed_host
from ..errors import Refused

SUBPROTOCOL = "liveai"
TOKEN_SUBPROTOCOL = "liveai.token."
"""The beginning of the subprotocol that carries an API token."""


def accept_of(scope: WebSocketScope) -> dict[str, Any]:
    """Return the message that accepts a socket.

    It chooses `liveai` if the client offers that: a browser gives up if none is chosen.
    """
    accept = {"type": "websocket.accept"}
    if SUBPROTOCOL in scope.get("subprotocols", ()):
        accept["subprotocol"] = SUBPROTOCOL
    return accept


def token_of(scope: WebSocketScope) -> str | None:
    """Return the API token of a handshake: of a subprotocol, or of `Authorization`.

    Returns:
        None: no token. An empty text: an empty one, or several that differ.
    """
    offered = {
        name.removeprefix(TOKEN_SUBPROTOCOL)
        for name in scope.get("subprotocols", ())
        if name.startswith(TOKEN_SUBPROTOCOL)
    }
    for name, value in scope["headers"]:
        if name == b"authorization" and (token := token_in(value.decode("latin-1"))) is not None:
            offered.add(token)
    if len(offered) > 1:
        return ""
    return next(iter(offered), None)


def session_key_of(scope: WebSocketScope) -> str | None:
    """Return the key in the handshake's session cookie."""
    cookies: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies |= parse_cookie(value.decode("latin-1"))
    return cookies.get(settings.SESSION_COOKIE_NAME)


def check_origin(scope: WebSocketScope, *, has_token: bool) -> None:
    """Prevent foreign pages from opening a socket with this visitor's cookies.

    Raises:
        Refused: `forbidden_origin`.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host, is_secure = headers.get(b"host", ""), scope.get("scheme") == "wss"
    if not is_allowed_host(host):
        raise Refused("forbidden_origin")
    origin = headers.get(b"origin")
    if origin is None:
        if headers.get(b"cookie"):
            raise Refused("forbidden_origin")
    elif has_token:
        has_session_cookie = session_key_of(scope) is not None
        check_origin_of_token(
            origin, has_session_cookie=has_session_cookie, host=host, is_secure=is_secure
        )
    elif not is_own_origin(origin, host=host, is_secure=is_secure):
        raise Refused("forbidden_origin")
