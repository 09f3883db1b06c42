"""Lines to Redis that are cut off, reset or silent: no event is missing or repeated."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from streaming.event_log.base import LogUnavailable
from tests.streaming.event_log.conftest import MakeLog
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import (
    ProcessLog,
    chunks,
    eventually,
    names,
)


async def test_listeners_that_are_killed_again_and_again_miss_nothing(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    streams = names(20)
    epochs = {name: await here.take(name) for name in streams}
    readers = {name: await Reader().follow(there, stream_id=name) for name in streams}
    killed = 0
    for seq in range(60):
        if seq in (5, 6, 20, 40):
            killed += server.kill_pubsub_clients()
        for name in streams:
            await here.append(name, epochs[name], [chunk(seq, str(seq), name)])
        if seq == 30:
            await readers[streams[0]].until(seq)  # subscribed again, and cut off later
    assert killed >= 4  # both processes', at least twice
    for name in streams:
        await here.append(name, epochs[name], [cancelled(60, name)])
    for name, reader in readers.items():
        await reader.until(60)
        assert reader.events == [*chunks(0, 60, name), cancelled(60, name)]
        assert not reader.gone


async def test_cancel_intents_arrive_again_after_a_lost_connection(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    await here.take()
    assert server.kill_pubsub_clients()
    async with asyncio.timeout(20):
        while not here.intents:
            await there.store_cancel(STREAM, "owner")
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["cut", "reset"])
@pytest.mark.parametrize("seed", range(3))
async def test_lines_broken_at_any_byte_lose_nothing_and_repeat_nothing(
    server: RedisServer, make_log: MakeLog, seed: int, how: str
) -> None:
    dice = random.Random(seed)
    async with FaultProxy(server.port) as proxy:

        async def harm() -> None:
            while True:
                after = dice.randint(40, 4_000)
                fault = Fault(cut_after=after) if how == "cut" else Fault(reset_after=after)
                proxy.fault = fault
                await asyncio.sleep(dice.uniform(0.02, 0.1))
                getattr(proxy, how)()

        url = f"redis://127.0.0.1:{proxy.port}/0"
        writer, watcher = await make_log(url), await make_log(url)
        streams = names(10)
        epochs = {name: await writer.take(name) for name in streams}
        readers = {}
        for name in streams:
            readers[name] = (
                await Reader().follow(watcher, stream_id=name),
                await Reader().follow(writer, stream_id=name),
            )
        harming = asyncio.ensure_future(harm())

        async def generate(name: str) -> None:
            for begin in range(0, 12, 3):
                await writer.append(name, epochs[name], chunks(begin, begin + 3, name))
                await asyncio.sleep(dice.uniform(0, 0.05))
            await writer.append(name, epochs[name], [cancelled(12, name)])

        await asyncio.gather(*map(generate, streams))
        harming.cancel()
        assert proxy.accepted > 6
        proxy.fault = Fault()
        proxy.reset()
        for name, both in readers.items():
            for reader in both:
                await reader.until(12)
                assert reader.events == [*chunks(0, 12, name), cancelled(12, name)]
                assert not reader.gone


async def test_a_line_that_falls_silent_is_made_anew(
    server: RedisServer, here: ProcessLog, make_log: MakeLog
) -> None:
    async with FaultProxy(server.port) as proxy:
        watcher = await make_log(f"redis://127.0.0.1:{proxy.port}/0")
        epoch = await here.take()
        reader = await Reader().follow(watcher)
        for connection in proxy.connections:  # new connections work
            connection.set_fault(Fault(is_black_hole=True))
        await here.append(STREAM, epoch, [*chunks(0, 2), cancelled(2)])
        await eventually(lambda: 2 in reader.seqs)
        assert reader.seqs == [0, 1, 2]
        again = await here.take("another")
        late = await follow_patiently(lambda: Reader().follow(watcher, stream_id="another"))
        await here.append("another", again, [chunk(0, "x", "another")])
        await late.until(0)


async def follow_patiently(follow: Callable[[], Awaitable[Reader]]) -> Reader:
    """Retry until the subscription to Redis works again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await follow()
            except LogUnavailable:
                await asyncio.sleep(0.05)
