"""Serves the site under a path of a host, such as `/ai/` (SITE_PATH).

A proxy may pass the path on or remove it. Either way the layers inside see the whole path, and in
`root_path` the part that belongs to the proxy, as ASGI defines both.
"""

from __future__ import annotations

from collections.abc import Iterable

from streaming.http.asgi_types import ASGIApp, Receive, Scope, Send

_Headers = list[tuple[bytes, bytes]]


class SitePath:
    """Completes the path of each request, and hides the cookies of sites above.

    Args:
        root: the path without its last slash; empty: the site has the whole host, and this layer
            does nothing.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._root or scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        path: str = scope["path"]
        if path == self._root and scope["type"] == "http":
            return await self._add_slash(scope, send)
        scope = {**scope, "root_path": self._root, "headers": own_cookies(scope["headers"])}
        if not path.startswith(f"{self._root}/"):
            scope["path"] = self._root + path
            if raw_path := scope.get("raw_path"):
                scope["raw_path"] = self._root.encode() + raw_path
        await self._app(scope, receive, send)

    async def _add_slash(self, scope: Scope, send: Send) -> None:
        query: bytes = scope["query_string"]
        location = f"{self._root}/".encode() + (b"?" + query if query else b"")
        headers = [(b"location", location), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body"})


def own_cookies(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    """Keep the first cookie of each name, and join the rest of the headers unchanged.

    A site at the host's root may have a cookie `sessionid` too. Browsers send both, and the one
    with the longer path first (RFC 6265, 5.4). Django would read the last one.
    """
    kept: _Headers = []
    cookies: dict[bytes, bytes] = {}
    for name, value in headers:
        if name != b"cookie":
            kept.append((name, value))
            continue
        for cookie in value.split(b";"):
            cookies.setdefault(cookie.partition(b"=")[0].strip(), cookie.strip())
    if cookies:
        kept.append((b"cookie", b"; ".join(cookies.values())))
    return kept
