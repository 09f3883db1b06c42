"""Gives each request and socket an id, for log lines and `X-Request-ID`.

Source: specs/050-live-ai-interaction/decisions/, "Structured logs".
"""

from __future__ import annotations

import random
import re

from ..loop.log_ids import begin_request, current_request_id
from .asgi_types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"

FORWARDED = "liveai.request_id"
"""Key of the scope: the id that a trusted proxy has sent. Only `manage.py serve` sets it."""

_VALID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def id_in(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the id of a request's headers; None if there is none, or several, or a bad one."""
    ids = [value for name, value in headers if name == HEADER]
    return ids[0].decode() if len(ids) == 1 and _VALID.fullmatch(ids[0]) else None


def id_headers() -> list[tuple[bytes, bytes]]:
    """Return the header that tells a client the id of its request."""
    request_id = current_request_id()
    return [] if request_id is None else [(HEADER, request_id.encode())]


def name_request(scope: Scope) -> None:
    """Give the context of a request or a socket its id."""
    if scope["type"] in ("http", "websocket"):
        # Unique, but no secret: a system call for each request would cost more than the rest here.
        begin_request(scope.get(FORWARDED) or f"{random.getrandbits(128):032x}")


class ShowRequestId:
    """Adds `X-Request-ID` to each HTTP answer. Handed-over bodies don't pass through it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        own = id_headers()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        await self._app(scope, receive, send_with_id)
