"""Writes each request's Host the way browsers write it in `Origin`."""

from __future__ import annotations

from streaming.access.origins import plain_host
from streaming.http.asgi_types import ASGIApp, Receive, Scope, Send


class PlainHost:
    """Removes the default port from `Host`, and writes its letters small.

    Some proxies send `Host: NAME:443`. Browsers never name a default port, so Django's own check of
    `Origin` would find a stranger, and links would show the port.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            is_secure = scope.get("scheme") in ("https", "wss")
            headers = [
                (name, _plain(value, is_secure=is_secure) if name == b"host" else value)
                for name, value in scope["headers"]
            ]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)


def _plain(host: bytes, *, is_secure: bool) -> bytes:
    return plain_host(host.decode("latin-1"), is_secure=is_secure).encode("latin-1")
