"""Tasks are kept until they end, and nothing is kept after that."""

from __future__ import annotations

import asyncio

from streaming.loop.tasks import Tasks


async def test_it_counts_what_runs_and_waits_for_what_starts_meanwhile() -> None:
    tasks, gate = Tasks(), asyncio.Event()

    async def second() -> None:
        await asyncio.sleep(0)

    async def first() -> None:
        await gate.wait()
        tasks.start(second())

    tasks.start(first())
    assert len(tasks) == len(tasks.others()) == 1
    gate.set()
    await tasks.ended(10)
    assert len(tasks) == 0 and tasks._running is None
    await tasks.ended(0)
    await tasks.aclose()


async def test_closing_cancels_all_but_the_caller() -> None:
    tasks = Tasks()
    waiting = [tasks.start(asyncio.Event().wait()) for _ in range(2)]

    async def close() -> str:
        await tasks.aclose()
        return "closed"

    assert await tasks.start(close()) == "closed"
    assert all(task.cancelled() for task in waiting)
    await asyncio.sleep(0)
    assert len(tasks) == 0
