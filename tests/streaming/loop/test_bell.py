"""A bell wakes its waiter, and remembers rings until then."""

from __future__ import annotations

import asyncio

import pytest

from streaming.loop.bell import Bell, ShortcutBell


async def test_rings_before_the_wait_are_one() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.is_rung
    await bell.wait()
    assert not bell.is_rung
    assert not bell.wait().done()


async def test_a_ring_wakes_who_waits() -> None:
    bell = Bell()
    waiting = bell.wait()
    bell.ring()
    assert waiting.done()
    assert not bell.is_rung


async def test_a_ring_after_that_is_for_the_next_wait() -> None:
    bell = Bell()
    first = bell.wait()
    bell.ring()
    bell.ring()
    await first
    assert bell.wait().done()


async def test_a_wait_that_was_cancelled_takes_no_ring_with_it() -> None:
    bell = Bell()

    async def wait() -> None:
        await bell.wait()

    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    bell.ring()
    assert bell.is_rung
    async with asyncio.timeout(10):
        await bell.wait()


async def test_a_shortcut_does_the_work_of_a_waiting_task() -> None:
    bell, done = ShortcutBell(), []
    bell.shortcut = lambda: bool(done.append("short") or True)
    bell.ring()  # nobody waits: the task itself will look
    assert bell.is_rung
    assert done == []
    await bell.wait()
    waiting = bell.wait()
    bell.ring()
    assert (done, waiting.done()) == (["short"], False)
    bell.shortcut = lambda: False
    bell.ring()
    assert waiting.done()


async def test_a_shortcut_is_not_taken_for_a_task_that_was_cancelled() -> None:
    bell = ShortcutBell()
    bell.shortcut = lambda: pytest.fail("it writes for a task that is gone")
    bell.wait().cancel()
    bell.ring()
    assert bell.is_rung


async def test_what_a_shortcut_raises_is_raised_where_its_task_waits() -> None:
    bell, error = ShortcutBell(), RuntimeError("broke")

    def shortcut() -> bool:
        raise error

    bell.shortcut = shortcut
    waiting = bell.wait()
    bell.ring()
    with pytest.raises(RuntimeError, match="broke"):
        await waiting
    bell.ring()  # nobody waits any more
    assert bell.is_rung
