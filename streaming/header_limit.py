"""The ASGI layer that bounds headers which Django reads in more than linear time."""

from __future__ import annotations

from .asgi_problem import send_problem
from .errors import Refused
from .handover import ASGIApp, Receive, Scope, Send

MAX_CONTENT_TYPE_BYTES = 512
"""Django's reader of its parameters takes time that grows with the square of their length."""


class HeaderLimit:
    """Refuses a `Content-Type` that no client needs, as `malformed`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(
            name == b"content-type" and len(value) > MAX_CONTENT_TYPE_BYTES
            for name, value in scope["headers"]
        ):
            return await send_problem(send, Refused("malformed", "The Content-Type is too long."))
        await self._app(scope, receive, send)
