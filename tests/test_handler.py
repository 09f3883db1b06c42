"""Django's part of a request switches threads once, whatever the number of middlewares."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from liveai.handler import OneHopHandler

LINES: list[tuple[str, int]] = []


def note(what: str) -> None:
    LINES.append((what, threading.get_ident()))


def view(request: HttpRequest) -> HttpResponse:
    note("view")
    if "broken" in request.GET:
        raise ValueError("as planned")
    return HttpResponse("done", status=201)


urlpatterns = [path("here", view)]


def synchronous(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        note("before")
        response = get_response(request)
        note("after")
        response["X-Seen"] = "yes"
        return response

    return middleware


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record each call from the loop to a thread."""
    found: list[Any] = []
    call = SyncToAsync.__call__

    async def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(self.func)
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counting)
    return found


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    LINES.clear()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:-1],
        f"{__name__}.synchronous",
        settings.MIDDLEWARE[-1],
    ]


async def ask(
    handler: ASGIHandler, query: bytes = b"", *, leaves: asyncio.Event | None = None
) -> list[dict[str, Any]]:
    """Return the sent messages.

    Args:
        leaves: when it is set, the client disconnects.
    """
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/here",
        "query_string": query,
        "headers": [(b"host", b"localhost")],
    }
    sent: list[dict[str, Any]] = []
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if asked:
            return asked.pop()
        if leaves is None:
            return await asyncio.get_running_loop().create_future()
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with asyncio.timeout(20):
        await handler(scope, receive, send)
    return sent


async def test_middleware_and_view_run_in_one_go_on_one_thread(hops: list[Any]) -> None:
    ours = await ask(OneHopHandler())
    seen, taken = list(LINES), len(hops)
    djangos = await ask(ASGIHandler())
    assert [what for what, _ in seen] == ["before", "view", "after"]
    assert len({thread for _, thread in seen} - {threading.get_ident()}) == 1
    assert taken <= 1 < len(hops) - taken  # its signals and its close are part of it
    assert without_nonce(ours) == without_nonce(djangos)


async def test_a_stream_ends_when_its_client_leaves_and_is_closed(settings: Any) -> None:
    closed, begun = asyncio.Event(), asyncio.Event()

    async def endless() -> Any:
        try:
            while True:
                begun.set()
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.set()

    settings.MIDDLEWARE = []
    endless_response = StreamingHttpResponse(endless())
    urlpatterns[:] = [path("here", lambda request: endless_response)]
    asking = asyncio.create_task(ask(OneHopHandler(), leaves=begun))
    try:
        async with asyncio.timeout(20):
            await asking
            await closed.wait()
    finally:
        urlpatterns[:] = [path("here", view)]
    assert endless_response.closed


async def test_a_view_that_breaks_is_answered_with_500_through_its_middleware() -> None:
    start, *_ = await ask(OneHopHandler(), b"broken=1")
    assert start["status"] == 500
    assert (b"X-Seen", b"yes") in start["headers"]


def without_nonce(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    start, *rest = sent
    headers = [(n, v) for n, v in start["headers"] if n != b"Content-Security-Policy"]
    return [{**start, "headers": headers}, *rest]
