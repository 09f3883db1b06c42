"""CORS for the API, by django-cors-headers: pages of listed origins may call it with a token.

A layer, not Django's middleware: refusals that never reach Django (a body too large, no place) need
the headers too, or a page could not read them. And a preflight costs no request thread.

Source: specs/050-live-ai-interaction/spec.md, "HTTP" (Other origins).
"""

from __future__ import annotations

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from streaming.http.asgi_problem import SAFETY_HEADERS
from streaming.http.asgi_types import ASGIApp, Message, Receive, Scope, Send

_Headers = list[tuple[bytes, bytes]]


class Cors:
    """Answers preflights, and adds CORS headers to every other answer of the API.

    Does nothing while no origin is listed. Handed-over bodies don't pass through it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not settings.CORS_ALLOWED_ORIGINS:
            return await self._app(scope, receive, send)
        answer, is_preflight = _decide(scope)
        if is_preflight:
            headers = [(b"content-length", b"0"), *SAFETY_HEADERS, *_of(answer)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            return await send({"type": "http.response.body", "body": b""})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with(message.get("headers", ()), answer)}
            await send(message)

        await self._app(scope, receive, send_with_headers if answer.headers else send)


def _decide(scope: Scope) -> tuple[HttpResponseBase, bool]:
    """Ask the middleware; return an answer with its headers, and whether it is a preflight's."""
    request, passed = HttpRequest(), HttpResponse()
    request.method = scope["method"]
    request.path_info = scope["path"].removeprefix(scope.get("root_path", ""))
    for name, value in scope["headers"]:
        if name in (b"origin", b"access-control-request-method"):
            key = "HTTP_" + name.decode().upper().replace("-", "_")
            request.META[key] = value.decode("latin-1")
    del passed["Content-Type"]
    answer = CorsMiddleware(lambda _: passed)(request)
    assert isinstance(answer, HttpResponse)
    return answer, answer is not passed


def _of(answer: HttpResponseBase) -> _Headers:
    return [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in answer.items()
        if name.lower() == "vary" or name.lower().startswith("access-control-")
    ]


def _with(headers: _Headers, answer: HttpResponseBase) -> _Headers:
    """Add the headers of an answer, and join both `Vary`."""
    own = HttpResponse(headers=dict(answer.items()))
    patch_vary_headers(own, [v.decode("latin-1") for n, v in headers if n.lower() == b"vary"])
    return [(n, v) for n, v in headers if n.lower() != b"vary"] + _of(own)
