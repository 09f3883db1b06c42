"""Redis restarts empty while the generating process is stopped.

The other process shows the stream from its row meanwhile, and its viewers still reach the end.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Iterator
from copy import deepcopy

import pytest

from tests.support.faults.both import BACK_SECONDS
from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.harness import eventually
from tests.support.servers.visitor import TERMINAL, Held, Visitor

SAID = 10  # tokens before the hold


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("redis-emptied"), web=2) as started:
        yield started


async def until_served(visitor: Visitor, stream_id: str) -> None:
    """Retry until the process has found Redis again."""
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            async with await visitor.watch(stream_id) as client:
                if client.status == 200:
                    return
            await asyncio.sleep(0.05)


async def glance(visitor: Visitor, stream_id: str, transport: str) -> Held:
    """Start watching, and drop the connection after the first event."""
    if transport == "sse":
        async with await visitor.watch(stream_id) as client:
            await client.until_event("snapshot", "chunk")
            return Held().take_all(client.events)
    async with visitor.socket("?follow=none") as socket:
        await socket.send(type="resume", ref="a", stream_id=stream_id, after=-1)
        await socket.until(lambda frame: frame["type"] in ("snapshot", "chunk"))
        return Held().take_all(socket.events_of(stream_id))


async def come_back(visitor: Visitor, stream_id: str, transport: str, held: Held) -> None:
    """Watch from the held cursor to the end."""
    if transport == "sse":
        async with await visitor.watch(stream_id, held.cursor) as client:
            assert client.status == 200, await client.json()
            held.take_all(await client.until_end())
        return
    async with visitor.socket("?follow=none") as socket:
        await socket.send(type="resume", ref="a", stream_id=stream_id, after=held.cursor)
        end = await socket.until(lambda frame: frame["type"] in (*TERMINAL, "refused"))
        assert end["type"] == "complete", end
        held.take_all(socket.events_of(stream_id))


@pytest.mark.parametrize("comes_after_the_end", [False, True])
async def test_who_was_shown_the_row_alone_goes_on_from_there(
    cluster: Cluster, comes_after_the_end: bool
) -> None:
    home, other = cluster.web
    plan = Plan(f"emptied-{comes_after_the_end}", tokens=40, every_ms=20, hold=1, after=SAID)
    async with cluster.visited() as service:
        away = service.visitor(other.port)
        starter = await service.visitor(home.port).ask(plan.prompt)
        stream_id: str = (await starter.until_event("start"))["stream_id"]
        query = "SELECT seq FROM streaming_stream WHERE id = ?"
        await eventually(lambda: cluster.rows(query, stream_id) == [(SAID - 1,)])

        home.signal(signal.SIGSTOP)  # it does not notice that Redis is empty
        try:
            await asyncio.to_thread(cluster.redis.kill)
            await asyncio.to_thread(cluster.redis.start)
            await until_served(away, stream_id)
            stayed = await away.watch(stream_id)
            await stayed.until_event("snapshot")
            shown = [await glance(away, stream_id, transport) for transport in ("sse", "ws")]
            resource = await away.snapshot(stream_id)
        finally:
            home.signal(signal.SIGCONT)
        saved = "".join(map(plan.token, range(SAID)))
        assert {held.text for held in shown} == {saved}
        assert (resource["text"], resource["seq"]) == (saved, SAID - 1)

        ends = [asyncio.ensure_future(client.until_end()) for client in (starter, stayed)]
        if comes_after_the_end:
            cluster.release([plan])
            await asyncio.gather(*ends)
        everybody = [deepcopy(held) for held in shown for _ in range(4)]
        ways = itertools.cycle(itertools.product(service.ports, ("sse", "ws")))
        coming = [
            asyncio.ensure_future(come_back(service.visitor(port), stream_id, transport, held))
            for (port, transport), held in zip(ways, everybody, strict=False)
        ]
        if not comes_after_the_end:
            await asyncio.sleep(0.2)
            cluster.release([plan])
        await asyncio.gather(*coming)
        everybody += [Held().take_all(await end) for end in ends]
        starter.close()
        stayed.close()
    assert {held.text for held in everybody} == {plan.text}
    assert len({str(held.terminal) for held in everybody}) == 1
    assert all(held.cursor > one.cursor for held in everybody for one in shown)
