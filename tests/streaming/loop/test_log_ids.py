"""The ids of log lines reach the tasks that work begins, and nothing else of a context does."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context

from structlog.contextvars import get_contextvars

from streaming.loop.log_ids import (
    begin_request,
    begin_stream,
    current_request_id,
    fresh_context,
    of_stream,
)
from streaming.loop.tasks import Tasks

_other: ContextVar[str] = ContextVar("other", default="")


async def ids() -> dict[str, str]:
    return get_contextvars()


def test_a_fresh_context_has_the_ids_alone() -> None:
    def begin() -> None:
        _other.set("of the request")
        begin_request("r-1")
        begin_stream("s-1")
        fresh = fresh_context()
        assert fresh.run(get_contextvars) == {"request_id": "r-1", "stream_id": "s-1"}
        assert fresh.run(_other.get) == "" and len(fresh) == 2

    copy_context().run(begin)
    assert len(fresh_context()) == 0


async def test_a_task_of_an_owner_has_the_ids_of_who_started_it() -> None:
    tasks = Tasks()
    begin_request("r-1")
    with of_stream("s-1"):
        inside = tasks.start(ids())
    outside = tasks.start(ids())
    assert await inside == {"request_id": "r-1", "stream_id": "s-1"}
    assert await outside == {"request_id": "r-1"}


async def test_a_request_has_no_id_of_the_one_before_it_on_its_connection() -> None:
    begin_request("r-1")
    begin_stream("s-1")

    async def next_request() -> dict[str, str]:
        begin_request("r-2")
        return get_contextvars()

    assert await asyncio.create_task(next_request()) == {"request_id": "r-2"}
    assert current_request_id() == "r-1"
