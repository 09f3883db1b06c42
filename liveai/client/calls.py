"""The plain calls, with their retries, and the cancel. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from .access import Access
from .backoff import Patience
from .errors import malformed, unreachable
from .following import Following
from .refusals import error_of, is_worth_waiting, lost
from .steps import Call, Lost, Reply, Request, Steps, Wait

TRIES_AT_MOST = 8
"""Of a plain call: about 45 s in total."""


def start_of(
    block: str,
    prompt: str | None,
    options: Mapping[str, Any] | None,
    *,
    request_id: str | None,
    continues: str | None,
    sample: str | None,
) -> tuple[str, dict[str, Any]]:
    """Return path and body of a start. Without a `request_id`, it gets one of its own."""
    given = {"prompt": prompt, "options": options, "continues": continues, "sample": sample}
    body = {name: value for name, value in given.items() if value is not None}
    path = f"/api/stream/ai-block/{quote(block, safe='')}"
    return path, {**body, "request_id": request_id or str(uuid4())}


def call(
    access: Access, request: Request, *, patience: Patience, random: Callable[[], float]
) -> Steps[Any]:
    """Make a call that may be repeated; return its JSON object.

    Raises:
        LiveAIError: refused, not answered in `TRIES_AT_MOST` attempts, or `malformed`: answered by
            something else than the server.
    """
    attempt = 0
    while True:
        outcome = yield from access.send(Call, request)
        if isinstance(outcome, Reply) and 200 <= outcome.status < 300:
            if not isinstance(outcome.body, dict):
                raise malformed(outcome.status)
            return outcome.body
        if isinstance(outcome, Lost):
            error = lost(outcome, unreachable())
        else:
            assert isinstance(outcome, Reply), "a call opens no stream"
            error = error_of(outcome)
            if not is_worth_waiting(error, patience):
                raise error
        most = TRIES_AT_MOST if access.is_proven else patience.unproven_attempts
        if attempt + 1 >= most:
            raise error
        yield Wait(patience.backoff(attempt, random(), error.retry_after or 0.0))
        attempt += 1


def cancel(
    access: Access, following: Following, *, patience: Patience, random: Callable[[], float]
) -> Steps[None]:
    """Stop an answer: by its id, or by its `request_id` as long as the id is not known.

    Raises:
        LiveAIError
    """
    if following.state.terminal is not None:
        return
    stream_id, request_id = following.state.stream_id, following.request_id
    if stream_id is not None:
        request = cancel_by_id(stream_id)
    else:
        request = Request("POST", "/api/streams/cancel", body={"request_id": request_id})
    body = yield from call(access, request, patience=patience, random=random)
    if isinstance(body, dict) and body.get("stream_id") is None:
        following.is_dropped = True


def cancel_by_id(stream_id: str) -> Request:
    return Request("POST", f"/api/streams/{quote(stream_id, safe='')}/cancel")


def history_page(filters: Mapping[str, str | None], cursor: str | None) -> Request:
    given = {**filters, "cursor": cursor}
    params = {name: value for name, value in given.items() if value}
    return Request("GET", "/api/streams", params=params)


BLOCKS = Request("GET", "/api/blocks")
