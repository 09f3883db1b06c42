from __future__ import annotations

import asyncio
import logging

import pytest

from streaming.admission.turns import Turns
from streaming.errors import Refused


async def turn_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Work:
    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.begun: list[str] = []
        self.done: list[str] = []

    async def do_at_once(self) -> str:
        return "done"

    async def do(self, name: str) -> str:
        self.begun.append(name)
        await self.may_end.wait()
        self.done.append(name)
        return name


async def test_so_many_of_a_key_at_once_and_other_keys_do_not_wait() -> None:
    turns, work = Turns(2), Work()
    tasks = [asyncio.create_task(turns.run(key, lambda k=key: work.do(k))) for key in "aaaab"]
    await turn_of_the_loop()
    assert sorted(work.begun) == ["a", "a", "b"]
    work.may_end.set()
    assert await asyncio.gather(*tasks) == list("aaaab")
    assert sorted(work.done) == ["a", "a", "a", "a", "b"]
    await turn_of_the_loop()
    assert len(turns) == 0


async def test_work_in_a_turn_may_not_wait_for_another_one() -> None:
    """Two pieces of work that each have a place, and each wait for one more, would never end."""
    turns = Turns(2)

    async def nested() -> str:
        return await turns.run("a", Work().do_at_once)

    with pytest.raises(RuntimeError, match="must not wait"):
        await turns.run("a", nested)
    await turn_of_the_loop()
    assert len(turns) == 0


async def test_who_is_cancelled_while_waiting_takes_no_turn() -> None:
    turns, work = Turns(1), Work()
    tasks = [asyncio.create_task(turns.run("a", lambda n=name: work.do(n))) for name in "xyz"]
    await turn_of_the_loop()
    tasks[1].cancel()
    work.may_end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[1].cancelled()
    assert work.done == ["x", "z"]
    await turn_of_the_loop()
    assert len(turns) == 0


async def test_work_whose_waiter_has_gone_is_carried_out_and_keeps_its_turn_until_then() -> None:
    turns, work = Turns(1), Work()
    gone = asyncio.create_task(turns.run("a", lambda: work.do("gone")))
    await turn_of_the_loop()
    gone.cancel()
    following = asyncio.create_task(turns.run("a", lambda: work.do("following")))
    await turn_of_the_loop()
    assert work.begun == ["gone"]
    work.may_end.set()
    await following
    assert work.done == ["gone", "following"]


@pytest.mark.parametrize(("error", "logged"), [(Refused("not_found"), 0), (ValueError("x"), 1)])
async def test_how_work_failed_that_nobody_waits_for_is_logged_unless_it_was_refused(
    caplog: pytest.LogCaptureFixture, error: Exception, logged: int
) -> None:
    turns, may_end = Turns(1), asyncio.Event()

    async def fail() -> None:
        await may_end.wait()
        raise error

    gone = asyncio.create_task(turns.run("a", fail))
    await turn_of_the_loop()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    with caplog.at_level(logging.ERROR):
        may_end.set()
        await turn_of_the_loop()
    assert len(caplog.records) == logged
