"""A small queue keeps the order, loses nothing, and holds nothing while it is empty."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from streaming.loop.small_queue import SmallQueue


async def test_items_come_out_in_order_and_a_reader_waits_for_them() -> None:
    queue: SmallQueue[int] = SmallQueue()
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done() and queue.empty()
    for number in range(3):
        queue.put_nowait(number)
    assert [await waiting, await queue.get(), queue.get_nowait()] == [0, 1, 2]
    assert queue.empty()
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()


async def test_a_writer_waits_for_room_and_none_writes_beyond_it() -> None:
    queue: SmallQueue[int] = SmallQueue(2)
    writers = [asyncio.ensure_future(queue.put(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert queue.full() and [task.done() for task in writers] == [True, True, False, False, False]
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(9)
    found = []
    for _ in range(5):
        found.append(await queue.get())
        await asyncio.sleep(0)
    assert sorted(found) == list(range(5)) and queue.empty()
    assert all(task.done() for task in writers)


async def test_a_cancelled_reader_takes_nothing_and_a_cancelled_writer_adds_nothing() -> None:
    queue: SmallQueue[int] = SmallQueue(1)
    reading = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(1)
    reading.cancel()
    await asyncio.wait({reading})
    writing = asyncio.ensure_future(queue.put(2))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})
    assert queue.get_nowait() == 1 and queue.empty()


async def test_a_second_reader_is_refused() -> None:
    queue: SmallQueue[int] = SmallQueue()
    reading = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await queue.get()
    queue.put_nowait(1)
    assert await reading == 1


async def test_an_empty_one_takes_a_twentieth_of_the_memory() -> None:
    def cost(make: type) -> int:
        gc.collect()
        tracemalloc.start()
        made = [make() for _ in range(100)]
        found, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del made
        return found

    assert cost(SmallQueue) * 20 < cost(asyncio.Queue)
