"""A gate wakes every task that waits, and holds nothing for those that do not."""

from __future__ import annotations

import asyncio
import sys

from streaming.loop.gate import Gate


async def test_all_that_wait_go_on_when_it_opens_and_later_ones_at_once() -> None:
    gate = Gate()
    waiting = [asyncio.ensure_future(gate.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    gate.set()
    gate.clear()  # those that waited go on nevertheless
    await asyncio.gather(*waiting)
    late = asyncio.ensure_future(gate.wait())
    await asyncio.sleep(0)
    assert not late.done() and not gate.is_set()
    gate.set()
    await late
    await gate.wait()
    assert gate.is_set()


async def test_a_cancelled_wait_leaves_nothing_and_holds_nobody_up() -> None:
    gate = Gate()
    one, other = (asyncio.ensure_future(gate.wait()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait({one})
    gate.set()
    await other
    assert one.cancelled()


async def test_a_wait_that_is_cancelled_as_it_is_woken_does_no_harm() -> None:
    gate = Gate()
    one, other = (asyncio.ensure_future(gate.wait()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    gate.set()
    await asyncio.wait({one, other})
    assert one.cancelled() and not other.cancelled()


async def test_it_takes_a_tenth_of_what_an_event_takes() -> None:
    event = asyncio.Event()
    assert sys.getsizeof(Gate()) * 10 < sys.getsizeof(event) + sys.getsizeof(event._waiters)


async def test_a_gate_may_be_made_open() -> None:
    await Gate(is_open=True).wait()
