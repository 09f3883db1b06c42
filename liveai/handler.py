"""Runs Django's part of a request without switching threads."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from typing import Any

from django.core import signals
from django.core.exceptions import BadRequest, RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, set_script_prefix
from django.views.decorators.csrf import csrf_exempt

from liveai.busy import match_refused
from streaming.http.asgi_types import Scope
from streaming.http.problems import bad_request, is_api
from streaming.http.request_threads import has_request_thread, on_request_thread

FORM = "application/x-www-form-urlencoded"


@csrf_exempt
def _unreadable(request: HttpRequest) -> HttpResponse:
    return bad_request(request, BadRequest("The form's character set is not UTF-8."))


class OneHopHandler(ASGIHandler):
    """Runs signals, middleware, view and close in sequence on the request's thread.

    All of them are synchronous here. By default Django switches to the thread and back for each,
    which is a third of the cost of a plain request. A request on a thread can't be interrupted, so
    nothing waits for a disconnect meanwhile.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if has_request_thread():
            await self.handle(scope, receive, send)
        else:  # gives the request a thread of its own
            await super().__call__(dict(scope), receive, send)

    async def handle(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        response = await on_request_thread(self._respond, scope, body)
        if not response.streaming:  # closed already
            return await self.send_response(response, send)
        try:
            await self._send_until_gone(response, receive, send)
        finally:
            await on_request_thread(response.close)

    async def read_body(self, receive: Any) -> io.BytesIO:
        """Read the body into memory; a layer outside bounds its size."""
        parts = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return io.BytesIO(b"".join(parts))

    def resolve_request(self, request: HttpRequest) -> Any:
        """Resolve a request, or show the refusal of its lane or of a form that Django can't read.

        Middleware would read a page's form next, and Django's pages of errors once more. The API
        reads no forms.
        """
        refused = request.scope.get("refused")  # type: ignore[attr-defined]
        if refused is not None:
            return match_refused(refused)
        is_form = request.content_type == FORM and not is_api(request)
        if is_form and (request.encoding or "utf-8").lower() != "utf-8":
            return ResolverMatch(_unreadable, (), {})
        return super().resolve_request(request)

    def _respond(self, scope: Scope, body: io.BytesIO) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()  # its content stays
        answer: HttpResponseBase = response
        return answer

    async def _send_until_gone(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send a streaming response; stop when the client disconnects."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        listening = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            if not sending.done():
                sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        with suppress(asyncio.CancelledError, RequestAborted):
            await listening
