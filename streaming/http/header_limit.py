"""The ASGI layer that bounds what Django reads of a request's head."""

from __future__ import annotations

from ..errors import Refused
from .asgi_problem import send_problem
from .asgi_types import ASGIApp, Receive, Scope, Send

MAX_CONTENT_TYPE_BYTES = 512
"""Django's reader of its parameters takes time that grows with the square of their length."""

MAX_ADDRESS_BYTES = 65_536
"""Of path and query string together."""


class HeaderLimit:
    """Refuses an address or a `Content-Type` that no client needs, as `malformed`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (problem := _problem(scope)):
            return await send_problem(send, Refused("malformed", problem))
        await self._app(scope, receive, send)


def _problem(scope: Scope) -> str:
    if len(scope["path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
        return "The address is too long."
    for name, value in scope["headers"]:
        if name == b"content-type" and len(value) > MAX_CONTENT_TYPE_BYTES:
            return "The Content-Type is too long."
    return ""
