"""The ids of log lines reach the tasks that work begins, and nothing else of a context does."""

from __future__ import annotations

import asyncio
import io
import logging
from contextvars import ContextVar, copy_context

from asgiref.sync import sync_to_async

from liveai.log_formatter import LogFormatter
from streaming.database.thread import DatabaseThread
from streaming.loop.log_ids import (
    begin_request,
    begin_stream,
    current_ids,
    current_request_id,
    fresh_context,
    of_request,
    of_stream,
)
from streaming.loop.tasks import Tasks

_other: ContextVar[str] = ContextVar("other", default="")


async def ids() -> dict[str, str]:
    return current_ids()


def test_a_fresh_context_has_the_ids_alone() -> None:
    def begin() -> None:
        _other.set("of the request")
        begin_request("r-1")
        begin_stream("s-1")
        fresh = fresh_context()
        assert fresh.run(current_ids) == {"request_id": "r-1", "stream_id": "s-1"}
        assert fresh.run(_other.get) == "" and len(fresh) == 1

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


def test_the_ids_of_a_part_are_gone_after_it() -> None:
    with of_request("r-1"):
        with of_stream("s-1"), of_request("r-2"), of_request(None):
            assert current_ids() == {"request_id": "r-2", "stream_id": "s-1"}
        assert current_ids() == {"request_id": "r-1"}
    assert current_ids() == {}


async def test_lines_of_threads_have_the_ids_of_who_asked() -> None:
    written, library, database = io.StringIO(), logging.Logger("library"), DatabaseThread("test")
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogFormatter())
    library.addHandler(handler)
    with of_request("r-1"), of_stream("s-1"):
        await database.run(library.warning, "On a thread of the database")
        await sync_to_async(library.warning)("On a thread of asgiref")
    await database.run(library.warning, "For nobody")
    await database.aclose()
    ids = ["_id=" in line and line.split()[2:4] for line in written.getvalue().splitlines()]
    assert ids == [["request_id=r-1", "stream_id=s-1"]] * 2 + [False]


async def test_a_request_has_no_id_of_the_one_before_it_on_its_connection() -> None:
    begin_request("r-1")
    begin_stream("s-1")

    async def next_request() -> dict[str, str]:
        begin_request("r-2")
        return current_ids()

    assert await asyncio.create_task(next_request()) == {"request_id": "r-2"}
    assert current_request_id() == "r-1"
