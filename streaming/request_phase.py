"""The ASGI layer that bounds the bodies of requests."""

from __future__ import annotations

from .api.problems import CONTENT_TYPE, problem_body
from .errors import Refused
from .handover import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_048_576

MAX_DIGITS = 18
"""Of a `Content-Length`. Python refuses to read numbers of over 4,300 digits."""


class BodyLimit:
    """Refuses bodies over 1 MiB before Django, which would spool any size to disk."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and (len(length) > MAX_DIGITS or int(length) > self._max_bytes):
            return await self._refuse(send)
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                return await self._refuse(send)
            if not message.get("more_body", False):
                break
        read: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def receive_read() -> Message:
            nonlocal read
            if read is None:
                return await receive()
            message, read = read, None
            return message

        return await self._app(scope, receive_read, send)

    async def _refuse(self, send: Send) -> None:
        body = problem_body(
            Refused("prompt_too_long", f"A body may hold {self._max_bytes:,} bytes at most.")
        )
        await send(
            {
                "type": "http.response.start",
                "status": 413,
                "headers": [
                    (b"content-type", CONTENT_TYPE.encode()),
                    (b"content-length", str(len(body)).encode()),
                    (b"connection", b"close"),  # the rest of the body is not read
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})
