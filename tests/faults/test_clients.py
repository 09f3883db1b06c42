"""Clients of two processes with broken or slow connections, or with identical starts at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.audience import Seat, ends_of, watch_from
from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan
from tests.support.servers.visitor import Held

SEED = 20_266
ROUNDS = 20
AT_ONCE = 10
SMALL_BUFFER = 4096


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("clients")) as cluster:
        yield cluster


async def judge(
    cluster: Cluster, service: Service, histories: list[StreamHistory], folder: Path
) -> None:
    await add_truth(service, histories, cluster.upstream)
    give_verdict(histories, seed=SEED, folder=folder)
    assert {end["type"] for end in ends_of(histories)} == {"complete"}
    assert {history.calls for history in histories} == {1}


async def test_sixty_streams_survive_three_broken_lines_each_over_both_transports_and_processes(
    cluster: Cluster, tmp_path: Path
) -> None:
    texts = [Plan(f"drops-{n}", tokens=60, every_ms=25, seed=n) for n in range(48)]
    quizzes = [Plan(f"drops-quiz-{n}", quiz=3, every_ms=20, seed=n) for n in range(12)]
    async with cluster.visited() as service:
        halves = await asyncio.gather(
            drive(service, texts, seed=SEED, drops=3),
            drive(service, quizzes, seed=SEED, drops=3, block="quiz"),
        )
        histories = [history for half in halves for history in half]
        await judge(cluster, service, histories, tmp_path)
    viewings = [viewing for history in histories for viewing in history.viewings]
    assert all(viewing.drops >= 3 for viewing in viewings)
    connections = [connection for viewing in viewings for connection in viewing.connections]
    assert {c.transport for c in connections} == {"sse", "websocket"}
    assert {c.port for c in connections} == set(cluster.ports)
    assert {c.ended_by for c in connections} == {"drop", "terminal"}
    # Connections broke in mid-answer, not only at the ends; most moved to the other process.
    assert len({c.asked_after for c in connections}) > 20
    changes = sum(len({c.port for c in viewing.connections}) == 2 for viewing in viewings)
    assert changes > 40


async def test_one_byte_at_a_time_says_the_same(cluster: Cluster, tmp_path: Path) -> None:
    plans = [Plan(f"slices-{n}", tokens=30, every_ms=10, seed=n) for n in range(8)]
    async with cluster.visited() as service:
        first, second = cluster.ports
        async with (
            FaultProxy(first, Fault(slice_bytes=1)) as at_first,
            FaultProxy(second, Fault(slice_bytes=1)) as at_second,
        ):
            sliced = Service([at_first.port, at_second.port], service.cookies)
            seats = [
                Seat("sse", sliced, "s", drops=1),
                Seat("websocket", sliced, "w", drops=1),
                Seat("straight", service),
            ]
            histories = await watch_from(seats, plans, seed=SEED)
            assert at_first.accepted and at_second.accepted
        await judge(cluster, service, histories, tmp_path)


async def test_readers_that_stall_at_the_other_process_hold_up_nobody_and_miss_nothing(
    cluster: Cluster,
) -> None:
    # More than kernels buffer for a connection, so that the process itself must wait.
    plan = Plan("stalls", tokens=1500, every_ms=0, pad=4000, hold=1, after=1)
    first, second = cluster.ports
    async with cluster.visited() as service:
        visitor = service.visitor(second)
        async with (
            await service.visitor(first).ask(plan.prompt) as starter,
            visitor.socket("?follow=none", max_queue=1, receive_buffer=SMALL_BUFFER) as socket,
        ):
            stream_id = (await starter.until_event("start"))["stream_id"]
            await socket.send(type="resume", ref="r", stream_id=stream_id, after=-1)
            await socket.until(lambda frame: frame["type"] == "chunk")
            socket.stop_reading()
            slow = await visitor.watch(stream_id, receive_buffer=SMALL_BUFFER)
            quick = await visitor.watch(stream_id)
            cluster.upstream.release(plan.key)
            async with quick, slow:
                await asyncio.gather(starter.until_end(), quick.until_end())
                slow.widen()
                await slow.until_end()
            socket.read_again()
            await socket.until_end(stream_id)
    seen = [starter.events, quick.events, slow.events, socket.events_of(stream_id)]
    for events in seen:
        held = Held().take_all(events)
        assert held.text == plan.text and held.snapshots == 0
        assert held.terminal == starter.events[-1] and held.terminal["type"] == "complete"
    for events in seen[2:]:  # they were held back, so missed events arrived in fewer pieces
        assert any("first_seq" in event for event in events)
    assert cluster.upstream.stats_of(plan.key).calls == 1


async def test_ten_starts_at_once_with_one_request_id_are_one_stream_and_one_call(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"once-{n}", tokens=20, every_ms=5, seed=n) for n in range(ROUNDS)]
    histories = []
    async with cluster.visited() as service:
        (before,) = cluster.rows("SELECT COUNT(*) FROM streaming_stream")
        for plan in plans:
            start = start_of(plan.prompt, random.Random(f"{SEED}/{plan.key}"))
            viewings = await asyncio.gather(
                *(
                    watch_to_the_end(
                        Service([cluster.ports[number % 2]], service.cookies),
                        start,
                        rng=random.Random(f"{SEED}/{plan.key}/{number}"),
                        name=f"{plan.key}/{number}",
                        transports="sw"[number // 2 % 2],
                    )
                    for number in range(AT_ONCE)
                )
            )
            ids = {e["stream_id"] for v in viewings for e in v.events if e["type"] == "start"}
            assert len(ids) == 1
            histories.append(
                StreamHistory(
                    ids.pop(), viewings, start.request_id, plan.prompt, expected_text=plan.text
                )
            )
        await judge(cluster, service, histories, tmp_path)
        (after,) = cluster.rows("SELECT COUNT(*) FROM streaming_stream")
    assert after[0] - before[0] == ROUNDS
    # One attempt each was enough: nobody was refused and had to retry.
    assert all(len(v.connections) == 1 for history in histories for v in history.viewings)
