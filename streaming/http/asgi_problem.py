"""Problem documents from ASGI layers, which respond before Django or instead of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..errors import Refused
from ..protocol.codes import REFUSALS
from .asgi_types import Send
from .problems import CONTENT_TYPE, problem_body
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
    body = problem_body(refused)
    own = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SAFETY_HEADERS,
    ]
    if refused.retry_after_seconds is not None:
        seconds = max(1, math.ceil(refused.retry_after_seconds))
        own.append((b"retry-after", str(seconds).encode()))
    await send(
        {
            "type": "http.response.start",
            "status": REFUSALS[refused.code].status,
            "headers": [*own, *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
