"""The ASGI layer that bounds the bodies of requests."""

from __future__ import annotations

from ..errors import Refused
from .asgi_problem import send_page, send_problem, wants_page
from .asgi_types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_048_576

MAX_DIGITS = 18
"""Digits of a `Content-Length`. Python refuses to parse numbers of over 4,300 digits."""

SMALL_BODY_BYTES = 65_536
LARGE_BODIES_BYTES = 16 * 1_048_576
"""Memory for all bodies together, beyond the first 64 KiB of each."""

RETRY_SECONDS = 5

UNREAD = [(b"connection", b"close")]
"""Keeps the server from parsing the rest of the body as a further request."""


class BodyLimit:
    """Refuses bodies over 1 MiB before Django, which would spool any size to disk.

    An incomplete body stays in memory until it times out. Small bodies always find room. The large
    bodies of all clients share a limit; beyond it they are refused as `over_capacity`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int = MAX_BODY_BYTES,
        large_bodies_bytes: int = LARGE_BODIES_BYTES,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._room = large_bodies_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and (len(length) > MAX_DIGITS or int(length) > self._max_bytes):
            return await self._refuse(scope, send)
        body = bytearray()
        taken = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > self._max_bytes:
                    return await self._refuse(scope, send)
                needed = max(0, len(body) - SMALL_BODY_BYTES) - taken
                if needed > self._room:
                    return await _refuse_for_now(send)
                self._room -= needed
                taken += needed
                if not message.get("more_body", False):
                    break
            await self._app(scope, _once(bytes(body), receive), send)
        finally:  # only now: the body takes room until the request is done
            self._room += taken

    async def _refuse(self, scope: Scope, send: Send) -> None:
        if wants_page(scope):
            shown = {"bytes": f"{self._max_bytes:,}"}
            return await send_page(send, "413.html", status=413, words=shown, headers=UNREAD)
        words = f"A body may hold {self._max_bytes:,} bytes at most."
        await send_problem(send, Refused("prompt_too_long", words), headers=UNREAD)


def _once(body: bytes, receive: Receive) -> Receive:
    """Wrap `receive` so that it first returns the body, then the server's further messages."""
    read: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def receive_read() -> Message:
        nonlocal read
        if read is None:
            return await receive()
        message, read = read, None
        return message

    return receive_read


async def _refuse_for_now(send: Send) -> None:
    words = "Too many large request bodies are in progress."
    refused = Refused("over_capacity", words, retry_after_seconds=RETRY_SECONDS)
    await send_problem(send, refused, headers=UNREAD)
