"""A database thread: clients' calls wait in a bounded queue, the process's own always fit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.db import OperationalError, ProgrammingError, connection

from streaming.database.outage import Outage
from streaming.database.thread import QUERIES_AT_MOST, DatabaseThread
from streaming.errors import Refused


@pytest_asyncio.fixture
async def thread() -> AsyncIterator[DatabaseThread]:
    made = DatabaseThread("test")
    yield made
    await made.aclose()


class Stuck:
    """Work that blocks the thread until released, and the work completed after it."""

    def __init__(self) -> None:
        self.is_released = threading.Event()
        self.done: list[str] = []

    def hold(self) -> None:
        self.is_released.wait(10)

    def do(self, name: str) -> str:
        self.done.append(name)
        return name


@pytest.mark.django_db
async def test_a_full_queue_refuses_clients_at_once_and_nothing_of_the_process_s_own(
    thread: DatabaseThread,
) -> None:
    stuck = Stuck()
    waiting = [asyncio.create_task(thread.query(stuck.hold))]
    waiting += [
        asyncio.create_task(thread.query(stuck.do, "client")) for _ in range(QUERIES_AT_MOST - 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await thread.query(stuck.do, "one more")
    assert (refused.value.code, refused.value.retry_after_seconds) == ("over_capacity", 1)
    own = asyncio.create_task(thread.run(stuck.do, "own"))
    await asyncio.sleep(0)
    stuck.is_released.set()
    assert await own == "own"
    await asyncio.gather(*waiting)
    assert "one more" not in stuck.done
    assert await thread.query(stuck.do, "later") == "later"


@pytest.mark.django_db(transaction=True)
async def test_an_outage_is_logged_when_it_begins_and_when_the_database_answers_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise OperationalError("the server closed the connection")

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def crash() -> None:
        raise ProgrammingError("no such column")

    outage = Outage()
    threads = [DatabaseThread(name, outage) for name in ("one", "two")]
    for _ in range(2):
        for thread in threads * 3:
            with pytest.raises(Refused):
                await thread.query(fail)
            await thread.query(int)  # asks nothing, so it proves nothing
        await threads[0].run(ask)
        await threads[1].query(ask)
    with pytest.raises(Refused):
        await threads[0].query(crash)
    for thread in threads:
        await thread.aclose()
    begins, ends = "The database can't be reached (OperationalError).", "can be reached again."
    assert [line.rpartition("database ")[2] for line in caplog.messages] == [
        *[begins.rpartition("database ")[2], ends] * 2,
        "refused a query (ProgrammingError).",
    ]


@pytest.mark.django_db
async def test_what_a_client_that_has_gone_had_asked_for_is_dropped(
    thread: DatabaseThread,
) -> None:
    stuck = Stuck()
    holding = asyncio.create_task(thread.query(stuck.hold))
    gone = [asyncio.create_task(thread.query(stuck.do, "gone")) for _ in range(QUERIES_AT_MOST - 1)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    living = asyncio.create_task(thread.query(stuck.do, "living"))  # there is room again
    await asyncio.sleep(0)
    stuck.is_released.set()
    await asyncio.gather(holding, living)
    assert stuck.done == ["living"]


@pytest.mark.django_db
async def test_work_under_way_keeps_its_place_though_nobody_waits_for_it(
    thread: DatabaseThread,
) -> None:
    stuck, has_begun = Stuck(), threading.Event()

    def hold() -> None:
        has_begun.set()
        stuck.hold()

    holding = asyncio.create_task(thread.query(hold))
    await asyncio.sleep(0)
    await asyncio.to_thread(has_begun.wait, 10)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    waiting = [
        asyncio.create_task(thread.query(stuck.do, "next")) for _ in range(QUERIES_AT_MOST - 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Refused):
        await thread.query(stuck.do, "one more")
    stuck.is_released.set()
    await asyncio.gather(*waiting)
