"""A limit passes while the loop runs; a stall of the loop uses up a part of it at most."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from streaming.loop.fair_timeout import fair_timeout


async def test_a_reply_that_arrived_while_the_loop_stalled_is_in_time() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours)
        for _ in range(3):
            async with fair_timeout(0.1):
                asyncio.get_running_loop().call_soon(time.sleep, 0.2)
                asyncio.get_running_loop().call_soon(theirs.send, b"reply")
                assert await reader.readexactly(5) == b"reply"
        writer.close()
        await writer.wait_closed()


async def test_many_stalls_use_up_one_slice_each() -> None:
    passed: list[float] = []

    async def wait() -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with fair_timeout(0.2):
                await asyncio.Event().wait()
        passed.append(time.monotonic() - began)

    waiting = asyncio.create_task(wait())
    for _ in range(2):
        await asyncio.sleep(0)
        time.sleep(0.2)
    await waiting
    assert passed[0] >= 0.4  # two stalls used up two slices of four; the others still passed


async def test_without_a_reply_the_limit_passes_even_if_others_keep_the_loop_awake() -> None:
    loop = asyncio.get_running_loop()
    is_over = False

    def work() -> None:
        if not is_over:
            loop.call_soon(work)

    work()
    with pytest.raises(TimeoutError):
        async with fair_timeout(0.05):
            await asyncio.Event().wait()
    is_over = True


async def test_a_block_that_ended_leaves_no_timer() -> None:
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    with pytest.raises(KeyError):
        async with fair_timeout(0.01):
            raise KeyError
    await asyncio.sleep(0.05)  # a timer that is left would find the block ended
    assert reported == []
