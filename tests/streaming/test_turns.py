from __future__ import annotations

import asyncio

from streaming.turns import Turns


async def test_so_many_of_a_key_at_once_and_other_keys_do_not_wait() -> None:
    turns, may_end, running = Turns(2), asyncio.Event(), []

    async def work(key: str) -> None:
        async with turns.of(key):
            running.append(key)
            await may_end.wait()

    tasks = [asyncio.create_task(work(key)) for key in "aaaab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sorted(running) == ["a", "a", "b"]
    may_end.set()
    await asyncio.gather(*tasks)
    assert sorted(running) == ["a", "a", "a", "a", "b"]
    assert len(turns) == 0


async def test_who_is_cancelled_while_waiting_takes_no_turn() -> None:
    turns, may_end = Turns(1), asyncio.Event()

    async def work() -> None:
        async with turns.of("a"):
            await may_end.wait()

    first, second, third = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    second.cancel()
    may_end.set()
    await asyncio.gather(first, third)
    assert second.cancelled()
    assert len(turns) == 0
