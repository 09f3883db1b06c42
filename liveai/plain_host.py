"""Writes each request's Host and Origin the way browsers write them."""

from __future__ import annotations

from streaming.access.origins import plain_host, plain_origin
from streaming.http.asgi_types import ASGIApp, Receive, Scope, Send


class PlainHost:
    """Removes the default port from `Host` and `Origin`, and writes their letters small.

    Some proxies send `Host: NAME:443`, and some clients that are no browsers name the port in
    `Origin`. Django's own check of `Origin` would find a stranger, and links would show the port.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            is_secure = scope.get("scheme") in ("https", "wss")
            headers = [
                (name, _plain(name, value, is_secure=is_secure)) for name, value in scope["headers"]
            ]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)


def _plain(name: bytes, value: bytes, *, is_secure: bool) -> bytes:
    if name == b"host":
        return plain_host(value.decode("latin-1"), is_secure=is_secure).encode("latin-1")
    if name == b"origin":
        return plain_origin(value.decode("latin-1")).encode("latin-1")
    return value
