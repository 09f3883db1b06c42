"""The line of a lane serves addresses in turns, and is bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.errors import Refused
from streaming.http.lane_turns import Turns


class Line:
    """A line, and who had a turn in it."""

    def __init__(self, **bounds: Any) -> None:
        self.turns = Turns(
            **{"at_once": 1, "of_an_address": 40, "waiting": 100, "seconds": 30} | bounds
        )
        self.served: list[str] = []

    def join(self, address: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._join(address))

    async def _join(self, address: str) -> None:
        await self.turns.wait(address)
        self.served.append(address)
        await asyncio.sleep(0)
        self.turns.leave()


async def test_a_class_at_one_address_is_served_and_others_in_between() -> None:
    line = Line()
    school = [line.join("school") for _ in range(30)]
    await asyncio.sleep(0)
    others = [line.join("home"), line.join("office")]
    await asyncio.gather(*school, *others)
    assert line.served.count("school") == 30
    assert {"home", "office"} <= set(line.served[:5])
    assert len(line.turns) == 0


async def test_as_many_as_may_run_at_once_do() -> None:
    turns = Turns(at_once=2, of_an_address=1, waiting=9, seconds=30)
    await turns.wait("a")
    await turns.wait("a")
    third = asyncio.create_task(turns.wait("a"))
    await asyncio.sleep(0)
    assert not third.done()
    turns.leave()
    await third


async def test_beyond_the_last_place_an_address_that_came_last_is_refused() -> None:
    line = Line(waiting=3)
    await line.turns.wait("x")
    waiting = [line.join(address) for address in "abcd"]
    await asyncio.sleep(0)
    with pytest.raises(Refused):
        await waiting.pop()
    line.turns.leave()
    await asyncio.gather(*waiting)
    assert line.served == ["a", "b", "c"] and len(line.turns) == 0


async def test_an_address_beyond_its_share_is_refused() -> None:
    line = Line(of_an_address=2)
    await line.turns.wait("x")
    held = [line.join("a") for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await line.turns.wait("a")
    assert (refused.value.code, refused.value.retry_after_seconds) == ("rate_limited", 10)
    line.turns.leave()
    await asyncio.gather(*held)


async def test_a_full_line_refuses_the_last_of_the_address_with_the_most() -> None:
    line = Line(waiting=4)
    await line.turns.wait("x")
    flood = [line.join("flood") for _ in range(3)]
    guest = line.join("guest")
    await asyncio.sleep(0)
    late = line.join("late")
    with pytest.raises(Refused) as refused:
        await flood[-1]
    assert refused.value.code == "over_capacity"
    line.turns.leave()
    await asyncio.gather(*flood[:-1], guest, late)
    assert line.served == ["flood", "guest", "late", "flood"]


async def test_who_waits_for_too_long_is_refused_and_leaves_the_line() -> None:
    line = Line(seconds=0.001)
    await line.turns.wait("x")
    with pytest.raises(Refused) as refused:
        await line.turns.wait("a")
    assert refused.value.code == "over_capacity"
    assert len(line.turns) == 0


@pytest.mark.parametrize("turn_came", [False, True])
async def test_who_is_cancelled_gives_the_place_back(turn_came: bool) -> None:
    line = Line()
    await line.turns.wait("x")
    gone = line.join("gone")
    await asyncio.sleep(0)
    if turn_came:
        line.turns.leave()
    gone.cancel()
    await asyncio.wait({gone})
    if not turn_came:
        line.turns.leave()
    await asyncio.wait_for(line.join("next"), 10)
    assert line.served == ["next"]
    assert len(line.turns) == 0
