"""The ASGI layer that bounds the parts of a request's head that Django parses."""

from __future__ import annotations

from ..errors import Refused
from .asgi_problem import send_problem
from .asgi_types import ASGIApp, Receive, Scope, Send

MAX_CONTENT_TYPE_BYTES = 512
"""Django's parser of its parameters takes quadratic time."""

MAX_ADDRESS_BYTES = 65_536
"""Limit for path and query string together."""


class HeaderLimit:
    """Refuses an overlong address or `Content-Type` as `malformed`."""

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
