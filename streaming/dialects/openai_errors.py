"""OpenAI's form of every refusal below `/v1`: those of the views, and those that come before them.

Source: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from ..http.asgi_types import ASGIApp, Message, Receive, Scope, Send
from ..http.problems import CONTENT_TYPE
from .openai_chat import error_document

KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
"""By status; any other below 500 is `invalid_request_error`."""

ROOT = "/v1"

NO_RETRY = {"x-should-retry": "false"}
"""Stops OpenAI's clients from asking once more by themselves."""


def error_of(problem: bytes) -> bytes:
    """Return a problem document as an error of OpenAI's, with our code."""
    document = json.loads(problem)
    status = document["status"]
    kind = KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = error_document(document["detail"], document["code"], kind=kind)
    error["error"]["param"] = document.get("field")
    return json.dumps(error).encode()


def in_their_form(response: HttpResponse) -> HttpResponse:
    """Give a response with a problem document OpenAI's form; its other headers stay."""
    response.content = error_of(response.content)
    response["Content-Type"] = "application/json"
    # A conflict stays one. Their clients would repeat the call.
    return not_repeated(response) if response.status_code == 409 else response


def not_repeated(response: HttpResponse) -> HttpResponse:
    for name, value in NO_RETRY.items():
        response[name] = value
    return response


def is_below_root(scope: Scope) -> bool:
    """Whether a request's path is `/v1` or below it, of a site at any path."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path == ROOT or path.startswith(f"{ROOT}/")


class OpenAIErrors:
    """The ASGI layer for refusals that no view of this door makes.

    Those are of an unknown address, of a body that is too large, of what Django can't read, and of
    a server that is full or shuts down.

    Args:
        covers: whether a request is below this door's addresses.
    """

    def __init__(self, app: ASGIApp, *, covers: Callable[[Scope], bool] = is_below_root) -> None:
        self._app = app
        self._covers = covers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._covers(scope):
            return await self._app(scope, receive, send)
        await self._app(scope, receive, _Translating(send))


class _Translating:
    """Holds a problem document back until it is whole. Any other response passes untouched."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._head = message
        elif self._head is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_error(self._head)

    async def _send_error(self, head: Message) -> None:
        body = error_of(self._body) if self._body else b""  # none: to a HEAD
        replaced = (b"content-type", b"content-length")
        kept = [(name, value) for name, value in head["headers"] if name.lower() not in replaced]
        own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self._send({**head, "headers": [*own, *kept]})
        await self._send({"type": "http.response.body", "body": body})


def _is_problem(head: Message) -> bool:
    headers: Any = head.get("headers", ())
    return any(
        name.lower() == b"content-type" and value == CONTENT_TYPE.encode()
        for name, value in headers
    )
