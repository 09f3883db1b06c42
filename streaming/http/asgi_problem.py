"""Problem documents from ASGI layers, which respond before Django or instead of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from django.template.loader import get_template

from ..errors import Refused
from ..protocol.codes import REFUSALS
from .asgi_types import Scope, Send
from .problems import API_PATHS, CONTENT_TYPE, problem_body
from .refused_starts import count_if_start

SAFETY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""For answers that no middleware of Django's sees: browsers neither guess their type, nor give them
to pages of other sites."""


async def send_problem(
    send: Send, refused: Refused, *, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Respond to a request with the problem document of a refusal. A refused start counts here.

    Args:
        headers: additional headers, with names in lower case.
    """
    count_if_start(refused.code)
    own: list[tuple[bytes, bytes]] = []
    if refused.retry_after_seconds is not None:
        seconds = max(1, math.ceil(refused.retry_after_seconds))
        own.append((b"retry-after", str(seconds).encode()))
    status = REFUSALS[refused.code].status
    await _send(send, status, CONTENT_TYPE, problem_body(refused), [*own, *headers])


def wants_page(scope: Scope) -> bool:
    """Return whether a request is a browser's for a page, and not for the API."""
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    accepted = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accepted and not path.startswith(API_PATHS)


async def send_page(
    send: Send,
    template: str,
    *,
    status: int,
    words: Mapping[str, str],
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Respond with a page, without the request.

    Args:
        template: one without addresses of pages: Django has set no prefix for them yet.
        words: what the template shows, by name.
    """
    body = get_template(template).render(dict(words)).encode()
    await _send(send, status, "text/html; charset=utf-8", body, headers)


async def _send(
    send: Send, status: int, kind: str, body: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> None:
    own = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SAFETY_HEADERS,
    ]
    start = {"type": "http.response.start", "status": status, "headers": [*own, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
