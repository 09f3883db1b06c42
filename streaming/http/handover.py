"""Handed-over responses: Django decides, and a small ASGI layer around it writes the body.

This resembles X-Accel-Redirect for files. The view decides everything (visitor, content, status,
headers) and its request ends, so its thread and database connection are free during the body.
Without the layer (Django's test client, WSGI), and with a body that a middleware such as GZip has
re-wrapped, the response is a plain stream. Middlewares do not see a response that follows later.

Source: specs/050-live-ai-interaction/decisions/, "The handed-over response".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
)
from contextlib import aclosing
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ..loop.push import cut_of, push_of
from ..protocol.frames import SSE_COMMENT
from .asgi_types import ASGIApp, Message, Receive, Scope, Send
from .lifeline import LIFELINE, Lifeline
from .refused_starts import mark_start
from .request_id import name_request
from .until_gone import Client, run_on

logger = logging.getLogger(__name__)

LATER = "X-Handed-Over"
"""Marks a response whose status and body follow later. The layer removes this header."""

EVENT_STREAM_HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",  # prevents compression by GZipMiddleware
}


class BodyCut(Exception):
    """The body ends unfinished, because its client does not read. Nothing more may be written."""


class BodyBroken(BodyCut):
    """The body ends unfinished on purpose: a clean end would say that it is whole."""


SendPart = Callable[[bytes], Awaitable[None]]
Body = Callable[[SendPart | None], AsyncGenerator[bytes, None]]
"""Creates a body, which yields its parts or, given a `send`, passes them to it.

The layer's own `send` has an attribute `push`, see loop/push.py."""


class Slot:
    """The part of a response that a request hands over: a body, or the whole response later."""

    __slots__ = ("body", "later", "sign_of_life", "socket")

    def __init__(self) -> None:
        self.body: Body | None = None
        self.sign_of_life = b""
        self.later: Callable[[], Awaitable[HttpResponseBase]] | None = None
        self.socket: Callable[[], Awaitable[None]] | None = None


_slot: ContextVar[Slot | None] = ContextVar("handover_slot", default=None)


class BodyResponse(StreamingHttpResponse):
    """A response whose body is handed over if the layer is present.

    Args:
        body: creates the body, of encoded bytes. It attaches to nothing before its first step, so
            that a response which a middleware drops leaks nothing. It raises nothing except
            `BodyCut`, and touches no database on the loop's thread.
    """

    sign_of_life = b""
    """What the server may write between two parts of the body."""

    def __init__(
        self,
        body: Body,
        *,
        content_type: str,
        headers: Mapping[str, str],
        sign_of_life: bytes | None = None,
    ) -> None:
        if sign_of_life is not None:
            self.sign_of_life = sign_of_life
        source = body(None)
        super().__init__(source, content_type=content_type, headers=dict(headers))
        self.body, self._source = body, source
        self._iterator: Any  # Django's attribute; a middleware that wraps the content replaces it

    def __aiter__(self) -> AsyncIterator[bytes]:
        slot = _slot.get()
        if slot is None or self._iterator is not self._source:
            return super().__aiter__()
        slot.body, slot.sign_of_life = self.body, self.sign_of_life
        return _nothing()


class EventStreamResponse(BodyResponse):
    """A `text/event-stream` response."""

    sign_of_life = SSE_COMMENT

    def __init__(self, body: Body) -> None:
        super().__init__(
            body, content_type="text/event-stream; charset=utf-8", headers=EVENT_STREAM_HEADERS
        )


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


def hand_over_socket(run: Callable[[], Awaitable[None]]) -> bool:
    """Make the layer run a WebSocket, when all layers around its application are done.

    Returns:
        False if the layer is absent.
    """
    slot = _slot.get()
    if slot is None:
        return False
    slot.socket = run
    return True


def answer_later(
    make: Callable[[], Awaitable[HttpResponseBase]], *, wait: Callable[..., HttpResponseBase]
) -> HttpResponseBase:
    """Create a response that may take long, without holding a request thread.

    The cookies of Django's response are set. A new session's cookie is not if the later one is an
    error.

    Args:
        make: creates the response (an `HttpResponse` or `BodyResponse`), on the loop after
            Django's request has ended. It touches no database.
        wait: runs `make` while the request thread waits; used if the layer is absent.
    """
    slot = _slot.get()
    if slot is None:
        return wait(make)
    slot.later = make
    return HttpResponse(headers={LATER: "1", "Cache-Control": "no-store"})


class HandOver:
    """The ASGI layer: runs Django, then writes the handed-over part of its response.

    The outermost one, so it also names and marks the request: all of it runs in that context.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name_request(scope)
        mark_start(scope)
        if scope["type"] == "websocket":
            slot = Slot()
            await _apart(self._app(scope, receive, send), slot)
            if slot.socket is None:
                return
            socket = slot.socket()
            del scope, receive, send, slot  # an open socket would hold them
            return await socket
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        lifeline: Lifeline | None = scope.get("extensions", {}).get(LIFELINE)
        client = Client(receive, lifeline)
        del receive
        work = await self._begin(scope, client, lifeline, send)
        if work is None:
            return
        if client.is_gone:
            work.close()
        elif lifeline is not None:
            await run_on(lifeline, work)
        else:
            await client.unless_gone(work)

    async def _begin(
        self, scope: Scope, client: Client, lifeline: Lifeline | None, send: Send
    ) -> Coroutine[Any, Any, None] | None:
        """Run Django, and return what is left to do of the response; None if it is complete.

        Nothing of the request is held afterwards: an open stream would hold it for long.
        """
        slot = Slot()
        held: Message | None = None
        if lifeline is not None:
            lifeline.sign = b""

        async def forward(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_later(message):
                held = message
            elif message["type"] != "http.response.body" or (held is None and slot.body is None):
                await send(message)
            # else: drop the empty body of a handed-over response

        await _apart(self._app(scope, client.receive, forward), slot)
        if slot.body is not None:
            if lifeline is not None:
                lifeline.sign = slot.sign_of_life
            return _finish(slot.body, None, send)
        if held is not None and slot.later is not None:
            has_session = _has_session(scope)
            answer = partial(_answer, held, slot.later, send, lifeline, has_session=has_session)
            return _finish(None, answer, send)
        return None


def _apart(request: Awaitable[None], slot: Slot) -> Awaitable[None]:
    """Run a request in a context of its own: it leaves much in it, which an open stream would hold.

    Cancelling stops the request.
    """

    async def run() -> None:
        await request

    context = copy_context()
    context.run(_slot.set, slot)
    return asyncio.get_running_loop().create_task(run(), context=context)


def _has_session(scope: Scope) -> bool:
    """Whether the request has a session's cookie."""
    cookie = f"{settings.SESSION_COOKIE_NAME}=".encode()
    return any(name == b"cookie" and cookie in value for name, value in scope["headers"])


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


async def _finish(
    make: Body | None, answer: Callable[[], Awaitable[Body | None]] | None, send: Send
) -> None:
    """Write a body, or answer first and write the body that follows. Give one of the two.

    The answer holds the request. It is dropped before the body is written.
    """
    if answer is not None:
        make = await answer()
        del answer
    if make is None:
        return
    send_part = _SendPart(send)
    parts = make(send_part)
    del make
    try:
        async with aclosing(parts) as body:
            async for part in body:
                await send_part(part)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except BodyBroken:
        if (cut := cut_of(send)) is not None:
            cut()
    except BodyCut:
        pass
    except Exception:
        # The response has begun and can only be ended. Some servers hang for good on an
        # exception here.
        logger.exception("Writing a response's body failed.")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(
    start: Message,
    later: Callable[[], Awaitable[HttpResponseBase]],
    send: Send,
    lifeline: Lifeline | None,
    *,
    has_session: bool,
) -> Body | None:
    """Send the head of a later response, and its content; return the body of a stream."""
    try:
        response = await later()
    except Exception:
        logger.exception("A handed-over response failed.")
        response = HttpResponse(status=500)
    own = {name.lower().encode(): value.encode() for name, value in response.items()}
    if isinstance(response, HttpResponse):
        own[b"content-length"] = str(len(response.content)).encode()
    replaced = {*own, LATER.lower().encode(), b"content-length"}
    kept = [(name, value) for name, value in start["headers"] if name.lower() not in replaced]
    if response.status_code >= 400 and not has_session:
        # A refusal makes nobody a visitor.
        session = f"{settings.SESSION_COOKIE_NAME}=".encode()
        kept = [
            (name, value)
            for name, value in kept
            if name.lower() != b"set-cookie" or not value.startswith(session)
        ]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [*kept, *own.items()],
        }
    )
    if isinstance(response, BodyResponse):
        if lifeline is not None:
            lifeline.sign = response.sign_of_life
            lifeline.on_handed_over()  # again: before its head, a response keeps the request
        return response.body
    assert isinstance(response, HttpResponse)
    await send({"type": "http.response.body", "body": response.content, "more_body": False})
    return None
