"""A trace of each request that may start an answer: its first span, from head to head.

Other requests have none: an operator looks at traces of answers, and nginx's log has the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings

from blocks import tracing
from blocks.tracing import Carrier, Span

from ..loop.push import push_of
from .asgi_types import ASGIApp, Message, Receive, Scope, Send

ROUTE = "/api/stream/ai-block/{block_type}"
_ROUTES = [
    (re.compile(r"/api/stream/ai-block/.*", re.DOTALL), ("GET", "POST"), ROUTE),
    *(
        (re.compile(route.replace("{block}", "[^/]+")), ("POST",), route)
        for route in (
            "/api/dialects/ai-sdk/{block}",
            "/api/dialects/ai-sdk/{block}/object",
            "/api/dialects/ag-ui/{block}",
            "/v1/chat/completions",
        )
    ),
]
"""The calls that start: paths, methods, routes."""

PARENT = "liveai.trace_parent"
"""Key of the scope: the trace that a trusted proxy has sent. Only `manage.py serve` sets it."""


class RequestSpans:
    """The outermost ASGI layer, where traces are on.

    Args:
        begin: makes sure that spans are made; called with the first scope.
    """

    def __init__(self, app: ASGIApp, *, begin: Callable[[], None]) -> None:
        self._app = app
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._begin()
        route = start_route_of(scope)
        if route is None:
            return await self._app(scope, receive, send)
        method: str = scope["method"]
        parent: Carrier | None = scope.get(PARENT)
        span = tracing.begin(
            f"{method} {route}",
            kind="server",
            attributes={"http.request.method": method, "http.route": route},
            parent=parent,
        )
        head = _Head(send, span)
        is_current = span.as_current()
        del span, send, parent  # a stream holds them no longer than its head takes
        try:
            with is_current:
                await self._app(scope, receive, head.send)
        finally:
            head.end()  # the client has gone before a head was sent


def may_start(scope: Scope) -> bool:
    """Whether a request may start an answer: the call is that one, and resumes none."""
    return start_route_of(scope) is not None


def start_route_of(scope: Scope) -> str | None:
    """Return the route of a request that may start an answer; None for any other request."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "POST"):
        return None
    path = scope["path"].removeprefix(settings.FORCE_SCRIPT_NAME or "")
    for pattern, methods, route in _ROUTES:
        if scope["method"] in methods and pattern.fullmatch(path):
            is_resumed = any(name == b"last-event-id" for name, _ in scope["headers"])
            return None if is_resumed else route
    return None


class _Head:
    """Ends the span when the head of the response is sent; passes everything on."""

    __slots__ = ("_send", "_span", "push")

    def __init__(self, send: Send, span: Span) -> None:
        self._send = send
        self._span: Span | None = span
        self.push = push_of(send)

    async def send(self, message: Message) -> None:
        await self._send(message)
        if self._span is not None and message["type"] == "http.response.start":
            self._note(message["status"])

    def _note(self, status: int) -> None:
        assert self._span is not None
        self._span.set("http.response.status_code", status)
        if status >= 500:  # what the client did wrong is no failure of the server
            self._span.fail(str(status))
        self.end()

    def end(self) -> None:
        span, self._span = self._span, None
        if span is not None:
            span.end()


def parent_in(headers: Any) -> Carrier | None:
    """Return the `traceparent` of a request's headers; None if there is none, or several."""
    found = [value for name, value in headers if name == b"traceparent"]
    return {"traceparent": found[0].decode("latin-1")} if len(found) == 1 else None
