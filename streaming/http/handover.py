"""Handed-over responses: Django decides, and a small ASGI layer around it writes the body.

This resembles X-Accel-Redirect for files. The view decides everything (visitor, content, status,
headers) and its request ends, so its thread and database connection are free during the body.
Without the layer (Django's test client, a re-wrapping middleware such as GZip, WSGI) the response
is a plain stream.

Source: specs/050-live-ai-interaction/decisions/, "The handed-over response".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ..loop.push import push_of
from ..protocol.frames import SSE_COMMENT
from .asgi_types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


LATER = "X-Handed-Over"
"""Marks a response whose status and body follow later. The layer removes this header."""

EVENT_STREAM_HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",  # prevents compression by GZipMiddleware
}


SIGN_OF_LIFE = "liveai.sign_of_life"
"""Key of the server's scope extension: a dict with `bytes`, which make a heartbeat.

The server may write them between two parts of the body, to detect whether a silent client is still
connected.
"""


SendPart = Callable[[bytes], Awaitable[None]]
Body = Callable[[SendPart | None], AsyncGenerator[bytes, None]]
"""Creates a body, which yields its parts or, given a `send`, passes them to it.

The layer's own `send` has an attribute `push`, see loop/push.py."""


class Slot:
    """The part of a response that a request hands over: a body, or the whole response later."""

    def __init__(self) -> None:
        self.body: Body | None = None
        self.sign_of_life = b""
        self.later: Callable[[], Awaitable[HttpResponseBase]] | None = None


_slot: ContextVar[Slot | None] = ContextVar("handover_slot", default=None)


class EventStreamResponse(StreamingHttpResponse):
    """A `text/event-stream` response, handed over if the layer is present.

    Args:
        body: creates the body, of encoded bytes. It attaches to nothing before its first step, so
            that a response which a middleware drops leaks nothing. It raises nothing and touches
            no database.
    """

    def __init__(self, body: Body) -> None:
        source = body(None)
        super().__init__(
            source, content_type="text/event-stream; charset=utf-8", headers=EVENT_STREAM_HEADERS
        )
        self.body, self._source = body, source
        self._iterator: Any  # Django's attribute; a middleware that wraps the content replaces it

    def __aiter__(self) -> AsyncIterator[bytes]:
        slot = _slot.get()
        if slot is None or self._iterator is not self._source:
            return super().__aiter__()
        slot.body, slot.sign_of_life = self.body, SSE_COMMENT
        return _nothing()


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


def hand_over(body: Body) -> bool:
    """Make the layer write a response's body. Call it when nothing else of the response can fail.

    Args:
        body: creates the body. The response keeps its headers and loses its own content.

    Returns:
        False if the layer is absent: the response then needs its own content.
    """
    slot = _slot.get()
    if slot is None:
        return False
    slot.body = body
    return True


def answer_later(
    make: Callable[[], Awaitable[HttpResponseBase]], *, wait: Callable[..., HttpResponseBase]
) -> HttpResponseBase:
    """Create a response that may take long, without holding a request thread.

    The cookies of Django's response are set unless the later one is an error.

    Args:
        make: creates the response (an `HttpResponse` or `EventStreamResponse`), on the loop after
            Django's request has ended. It touches no database.
        wait: runs `make` while the request thread waits; used if the layer is absent.
    """
    slot = _slot.get()
    if slot is None:
        return wait(make)
    slot.later = make
    return HttpResponse(headers={LATER: "1"})


class HandOver:
    """The ASGI layer: runs Django, then writes the handed-over part of its response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        slot = Slot()
        _slot.set(slot)
        sign = scope.get("extensions", {}).get(SIGN_OF_LIFE, {})
        sign["bytes"] = b""
        client = _Client(receive)
        held: Message | None = None

        async def forward(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_later(message):
                held = message
            elif message["type"] != "http.response.body" or (held is None and slot.body is None):
                await send(message)
            # else: drop the empty body of a handed-over response

        await self._app(scope, client.receive, forward)
        if slot.body is not None:
            sign["bytes"] = slot.sign_of_life
            await client.unless_gone(_write(slot.body, send))
        elif held is not None and slot.later is not None:
            await client.unless_gone(_answer(held, slot.later, send, sign))


def _is_later(message: Message) -> bool:
    return any(name.lower() == LATER.lower().encode() for name, _ in message["headers"])


class _SendPart:
    """Sends the parts of a body. `push` does so without waiting, where the server offers it."""

    __slots__ = ("_send", "push")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.push = push_of(send)

    def __call__(self, part: bytes) -> Awaitable[None]:
        return self._send({"type": "http.response.body", "body": part, "more_body": True})


async def _write(make: Body, send: Send) -> None:
    send_part = _SendPart(send)
    try:
        async with aclosing(make(send_part)) as body:
            async for part in body:
                await send_part(part)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except Exception:
        # The response has begun and can only be ended. Some servers hang for good on an
        # exception here.
        logger.exception("Writing a response's body failed.")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(
    start: Message,
    later: Callable[[], Awaitable[HttpResponseBase]],
    send: Send,
    sign: dict[str, bytes],
) -> None:
    try:
        response = await later()
    except Exception:
        logger.exception("A handed-over response failed.")
        response = HttpResponse(status=500)
    own = {name.lower().encode(): value.encode() for name, value in response.items()}
    if isinstance(response, HttpResponse):
        own[b"content-length"] = str(len(response.content)).encode()
    replaced = {*own, LATER.lower().encode(), b"content-length"}
    if response.status_code >= 400:
        replaced.add(b"set-cookie")
    kept = [(name, value) for name, value in start["headers"] if name.lower() not in replaced]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [*kept, *own.items()],
        }
    )
    if isinstance(response, EventStreamResponse):
        sign["bytes"] = SSE_COMMENT
        await _write(response.body, send)
    else:
        assert isinstance(response, HttpResponse)
        await send({"type": "http.response.body", "body": response.content, "more_body": False})


class _Client:
    """The request's `receive`; remembers a disconnect, which some servers report only once."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_gone = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_gone = self._is_gone or message["type"] == "http.disconnect"
        return message

    async def unless_gone(self, work: Any) -> None:
        """Run the work, and cancel it as soon as the client disconnects."""
        if self._is_gone:
            work.close()
            return
        loop = asyncio.get_running_loop()
        leaving = asyncio.timeout(None)

        def leave(_: object) -> None:
            leaving.reschedule(loop.time())

        watching = loop.create_task(self._until_gone())
        try:
            async with leaving:
                watching.add_done_callback(leave)
                try:
                    await work
                finally:
                    watching.remove_done_callback(leave)
        except TimeoutError:
            if not leaving.expired():
                raise
        except Exception as error:
            logger.debug("The client disconnected: %r", error)
        finally:
            watching.cancel()

    async def _until_gone(self) -> None:
        while not self._is_gone:
            await self.receive()
