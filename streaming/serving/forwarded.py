"""Reads headers of proxies that uvicorn does not know, or reads too strictly."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from uvicorn._types import ASGI3Application

from ..access.addresses import is_proxy
from ..http.request_id import FORWARDED, id_in

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


class ProxysId:
    """Passes on the `X-Request-ID` of a trusted proxy, in the scope.

    Outside the layer that replaces the proxy's address by the visitor's.
    """

    _asgi_single_callable = True

    def __init__(self, app: ASGI3Application) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        request_id = id_in(scope.get("headers", []))
        if request_id is not None and is_proxy((scope.get("client") or (None,))[0]):
            scope[FORWARDED] = request_id
        return self._app(scope, receive, send)
