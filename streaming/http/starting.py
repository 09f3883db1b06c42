"""Starts and look-ups of streams, as the calls of our API and of the dialects share them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from rest_framework.request import Request

from ..access.visitor import Visitor, keep_session
from ..generating.starting import Started
from ..process import Process
from ..start_request import prepare_start
from ..watching.hub import Feed
from .endpoint import FindFeed
from .refused_starts import has_started

Start = Callable[[Process], Awaitable[Started]]


def prepared(
    request: Request,
    visitor: Visitor,
    slug: str,
    data: Mapping[str, Any],
    *,
    coerce: bool = False,
) -> Start:
    """Check a start, and give the visitor a session; a refusal later drops its cookie.

    Args:
        data: `prompt`, `options`, `request_id`, `continues` and `sample`, as far as given.
        coerce: see `prepare_start`.

    Raises:
        Refused, InputError
    """
    found = prepare_start(
        visitor,
        slug,
        prompt=data.get("prompt"),
        options=data.get("options"),
        request_id=data.get("request_id"),
        continues=data.get("continues"),
        sample=data.get("sample"),
        coerce=coerce,
    )
    if request.auth is None:
        keep_session(visitor, request._request.session)

    async def start(process: Process) -> Started:
        def begin() -> Coroutine[Any, Any, Started]:
            return process.manager.start(
                visitor, found.new, found.spec, is_streaming=found.is_streaming
            )

        if visitor.address is None:  # behind a proxy of its own: many visitors share it
            started = await begin()
        else:
            started = await process.turns.run(visitor.address, begin)
        has_started()
        return started

    return start


def visible(visitor: Visitor, stream_id: str) -> FindFeed:
    """Find a stream that the visitor may see, in a turn of the visitor."""

    async def find(process: Process) -> Feed:
        async def look_up() -> Feed:
            async with process.finds:
                return await process.manager.watch(stream_id, visitor.owner)

        return await process.turns.run(visitor.address or visitor.owner, look_up)

    return find
