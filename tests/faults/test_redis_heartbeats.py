"""While Redis is silent viewers receive no events, but heartbeats keep their connections open."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.support.faults.client import Service
from tests.support.faults.cluster import running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.sse_client import SseClient
from tests.support.servers.visitor import Held, Socket

IMPATIENT = "tests.support.servers.asgi_impatient:application"  # a heartbeat every half second
SIGNS = 4


async def read_signs(client: SseClient) -> None:
    """Read bytes; comments are not events, so only their arrival shows."""
    before = len(client.reads), len(client.events)
    await client.until(lambda c: len(c.reads) >= before[0] + SIGNS)
    assert len(client.events) == before[1]


async def hear_signs(socket: Socket) -> None:
    for _ in range(SIGNS):
        assert (await socket.receive())["type"] == "ping"


async def test_signs_of_life_come_from_either_process_and_the_answer_when_redis_is_back(
    tmp_path: Path,
) -> None:
    plan = Plan("signs", tokens=30, every_ms=20, after=5, hold=1)
    with running_cluster(tmp_path / "cluster", web=2, app=IMPATIENT) as cluster:
        async with cluster.visited() as service:
            stream_id = await _start(service, plan)
            await cluster.reached([stream_id], 4)
            home, away = (service.visitor(port) for port in service.ports)
            async with (
                await home.watch(stream_id) as near,
                await away.watch(stream_id) as far,
                home.socket("?follow=none") as near_socket,
                away.socket("?follow=none") as far_socket,
            ):
                sockets = (near_socket, far_socket)
                for client in (near, far):
                    await client.until_event("chunk")
                for socket in sockets:
                    await socket.send(type="resume", ref="r", stream_id=stream_id, after=4)
                    await socket.until(lambda frame: frame["type"] == "start")
                cluster.redis.stop()
                try:
                    await asyncio.to_thread(cluster.upstream.release, plan.key)
                    began = time.monotonic()
                    await asyncio.gather(*map(read_signs, (near, far)), *map(hear_signs, sockets))
                    assert time.monotonic() - began > 1  # heartbeats, not data still on its way
                finally:
                    cluster.redis.cont()
                for client in (near, far):
                    assert Held().take_all(await client.until_end()).text == plan.text
                for socket in sockets:
                    assert (await socket.until_end(stream_id))["type"] == "complete"


async def _start(service: Service, plan: Plan) -> str:
    status, stream = await service.visitor(service.ports[0]).call(
        "POST", "/api/stream/ai-block/ask-question", {"prompt": plan.prompt}
    )
    assert status == 201, stream
    stream_id: str = stream["stream_id"]
    return stream_id
