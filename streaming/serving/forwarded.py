"""Reads headers of proxies that uvicorn does not know, or reads too strictly."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from django.conf import settings
from uvicorn._types import ASGI3Application

from ..access.addresses import is_proxy
from ..http.request_id import FORWARDED, id_in
from ..http.request_span import PARENT, parent_in

NAME = b"x-forwarded-proto"


class FirstScheme:
    """Leaves one scheme in `X-Forwarded-Proto`: the first, which the visitor used.

    A chain of proxies may send `https,http`, or the header twice. uvicorn, which decides whether
    the sender is trusted, reads one small word only. Django too takes the first.
    """

    _asgi_single_callable = True  # for asgiref: it is no coroutine function

    def __init__(self, app: ASGI3Application) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        schemes = [value for name, value in scope.get("headers", ()) if name == NAME]
        if schemes:
            first = schemes[0].partition(b",")[0].strip().lower()
            others = [header for header in scope["headers"] if header[0] != NAME]
            scope = {**scope, "headers": [*others, (NAME, first)]}
        return self._app(scope, receive, send)  # no frame of its own for each connection


class ProxysIds:
    """Passes on the `X-Request-ID` of a trusted proxy in the scope, and its `traceparent` where the
    operator wants that.

    Outside the layer that replaces the proxy's address by the visitor's.
    """

    _asgi_single_callable = True

    def __init__(self, app: ASGI3Application) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        headers = scope.get("headers", [])
        request_id = id_in(headers)
        parent = parent_in(headers) if settings.TRACING_FROM_PROXIES else None
        if (request_id or parent) and is_proxy((scope.get("client") or (None,))[0]):
            if request_id is not None:
                scope[FORWARDED] = request_id
            if parent is not None:
                scope[PARENT] = parent
        return self._app(scope, receive, send)
