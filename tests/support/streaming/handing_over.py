"""A view, middleware and bodies for tests of handed-over responses.

A test decides what the view answers, and `stage` records what becomes of it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from streaming.http.handover import (
    EventStreamResponse,
    HandOver,
    SendPart,
    answer_later,
)
from streaming.http.request_phase import BodyLimit
from streaming.http.request_threads import RequestThreads
from tests.support.streaming.exchange import Exchange, Head

HERE = __name__
HEADERS = [(b"host", b"localhost")]


class Source:
    """A body that records its fate."""

    def __init__(self, *steps: Any) -> None:
        self.steps = steps or (b"one ", b"two")
        self.has_begun = False
        self.is_closed = asyncio.Event()
        self.threads: set[int] = set()

    async def body(self, send: SendPart | None = None) -> AsyncGenerator[bytes, None]:
        self.has_begun = True
        try:
            for step in self.steps:
                self.threads.add(threading.get_ident())
                match step:
                    case bytes():
                        if send is None:
                            yield step
                        else:
                            await send(step)
                    case asyncio.Event():
                        await step.wait()
                    case Exception():
                        raise step
        finally:
            self.is_closed.set()


class Stage:
    """The responses of one test's views, and the calls made to Django."""

    source: Source
    answer: Callable[[HttpRequest], Any]
    log: list[str]


stage = Stage()


def view(request: HttpRequest) -> Any:
    return stage.answer(request)


urlpatterns = [path("", view)]


def with_header_and_cookie(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        response = get_response(request)
        response["X-Extra"] = "kept"
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    return middleware


def with_session_cookie(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        response = get_response(request)
        response.set_cookie("sessionid", "new")
        return response

    return middleware


def dropping(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        get_response(request)
        return HttpResponse("something else", status=418)

    return middleware


def rewrapping(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        response = get_response(request)
        inner = response.streaming_content

        async def upper() -> AsyncGenerator[bytes, None]:
            async for part in inner:
                yield part.upper()

        response.streaming_content = upper()
        return response

    return middleware


def show(source: Source) -> Source:
    """Make the view respond with this body."""

    def answer(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        return EventStreamResponse(source.body)

    stage.source, stage.answer = source, answer
    return source


def promise(make: Callable[[], Any]) -> None:
    """Make the view respond later, with the result of `make`."""
    stage.answer = lambda request: answer_later(make, wait=lambda make: async_to_sync(make)())


def ask(
    method: str = "GET",
    *,
    has_gone: bool = False,
    on_cookie: Callable[[str], None] = lambda header: None,
    **headers: str,
) -> Exchange:
    raw = [*HEADERS, *((name.encode(), value.encode()) for name, value in headers.items())]
    django: Any = ASGIHandler()
    app = HandOver(BodyLimit(RequestThreads(django, threads=1)))
    return Exchange(method, "/", "", raw, app=app, has_gone=has_gone, on_cookie=on_cookie)


async def whole(exchange: Exchange) -> tuple[Head, bytes]:
    return await exchange.head(), await exchange.rest()
